import { defineGroup } from "../../cli/define";

export default defineGroup({ name: "queue", about: "", commands: {} });
