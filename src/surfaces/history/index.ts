import { defineGroup } from "../../cli/define";

export default defineGroup({
  name: "history",
  about: "the why of each commit, written before it; its sha is filled in after",
  commands: {
    add: () => import("./add"),
    commit: () => import("./commit"),
    list: () => import("./list"),
    show: () => import("./show"),
    pending: () => import("./pending"),
    edit: () => import("./edit"),
  },
  acts: { create: "add" },
});
