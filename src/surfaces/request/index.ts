import { defineGroup } from "../../cli/define";

export default defineGroup({ name: "request", about: "", commands: {} });
