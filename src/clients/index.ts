import { defineGroup } from "../cli/define";

export default defineGroup({
  name: "shim",
  about: "write out what other programs need to call coop",
  commands: { python: () => import("./python") },
});
