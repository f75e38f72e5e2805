import { defineGroup } from "../../cli/define";

export default defineGroup({ name: "history", about: "", commands: {} });
