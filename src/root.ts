import { defineGroup } from "./cli/define";

/** Every command, by its words. */
export default defineGroup({
  name: "coop",
  about: "where AI agents and their person keep the state of their work",
  commands: {
    letter: () => import("./surfaces/letter"),
    request: () => import("./surfaces/request"),
    todo: () => import("./surfaces/todo"),
    history: () => import("./surfaces/history"),
    queue: () => import("./surfaces/queue"),
    show: () => import("./across/show"),
    log: () => import("./across/log"),
    who: () => import("./across/who"),
    whoami: () => import("./across/whoami"),
    init: () => import("./admin/init"),
    backup: () => import("./admin/backup"),
    restore: () => import("./admin/restore"),
    copy: () => import("./admin/copy"),
    redact: () => import("./admin/redact"),
    doctor: () => import("./admin/doctor"),
    help: () => import("./cli/topics"),
    shim: () => import("./clients"),
  },
});
