import { defineGroup } from "../../cli/define";

export default defineGroup({
  name: "letter",
  about: "hand-offs from a past self to a future self; unread until read, open until acked",
  commands: {
    write: () => import("./write"),
    read: () => import("./read"),
    start: () => import("./start"),
    ack: () => import("./ack"),
    abandon: () => import("./abandon"),
    reopen: () => import("./reopen"),
    list: () => import("./list"),
    show: () => import("./show"),
  },
  acts: { create: "write", begin: "start", finish: "ack", refuse: "abandon" },
});
