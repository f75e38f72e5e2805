import { defineGroup } from "../../cli/define";

export default defineGroup({ name: "todo", about: "", commands: {} });
