import { defineGroup } from "../../cli/define";

export default defineGroup({
  name: "request",
  about:
    "help, delegation, back-and-forth: one asks, another answers; an open one waits on somebody",
  commands: {
    open: () => import("./open"),
    reply: () => import("./reply"),
    accept: () => import("./accept"),
    done: () => import("./done"),
    decline: () => import("./decline"),
    cancel: () => import("./cancel"),
    reopen: () => import("./reopen"),
    assign: () => import("./assign"),
    edit: () => import("./edit"),
    list: () => import("./list"),
    show: () => import("./show"),
  },
  acts: { create: "open", begin: "accept", finish: "done", refuse: "decline" },
});
