import { defineGroup } from "../../cli/define";

export default defineGroup({
  name: "queue",
  about: "signals between programs and agents: pushed, taken, replied to, done",
  commands: {
    push: () => import("./push"),
    take: () => import("./take"),
    reply: () => import("./reply"),
    done: () => import("./done"),
    release: () => import("./release"),
    drop: () => import("./drop"),
    reopen: () => import("./reopen"),
    replies: () => import("./replies"),
    list: () => import("./list"),
    show: () => import("./show"),
    stats: () => import("./stats"),
    stale: () => import("./stale"),
    archive: () => import("./archive"),
  },
  acts: { create: "push", finish: "done", begin: "take", refuse: "drop", putBack: "release" },
});
