import { defineGroup } from "../../cli/define";

export default defineGroup({
  name: "todo",
  about: "what is to be done, by whom, how urgently, and after what",
  commands: {
    add: () => import("./add"),
    start: () => import("./start"),
    stop: () => import("./stop"),
    block: () => import("./block"),
    done: () => import("./done"),
    drop: () => import("./drop"),
    reopen: () => import("./reopen"),
    assign: () => import("./assign"),
    edit: () => import("./edit"),
    ready: () => import("./ready"),
    list: () => import("./list"),
    show: () => import("./show"),
  },
  acts: { create: "add", begin: "start", finish: "done", refuse: "drop", putBack: "stop" },
});
