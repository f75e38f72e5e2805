import { onStore } from "../../cli/on-store";
import {
  ages,
  ago,
  fenced,
  fullHeading,
  heading,
  inline,
  line,
  lines,
  scopeTag,
  titled,
  type View,
} from "../../cli/text";
import type { Message, Request, Thread } from "./store";

const waits = ({ waiting_on }: Request) =>
  waiting_on === null ? undefined : `waits on ${inline(waiting_on)}`;

/** One line: `R3 open 3h help from codex-pippa waits on claude-code-pippa: Parser crashes`. */
export function requestLine(request: Request, view: View, called = heading): string {
  const { ref, state, kind, author, to, accepted_by, waiting_on, title, body } = request;
  const others = (id: string) => id !== view.me && id !== waiting_on;
  const about = line(
    ref,
    state,
    ages(view, request),
    scopeTag(view, request),
    inline(kind),
    author !== view.me && `from ${inline(author)}`,
    others(to) && `to ${inline(to)}`,
    accepted_by !== null && accepted_by !== to && others(accepted_by)
      ? `accepted by ${inline(accepted_by)}`
      : undefined,
    waits(request),
  );
  return titled(about, called(title, body));
}

/** What opening, a reply or a move answers: `R3 accepted waits on codex-pippa: Parser crashes`. */
export const requestMoved = (request: Request, view: View) =>
  titled(
    line(request.ref, request.state, scopeTag(view, request), waits(request)),
    heading(request.title, request.body),
  );

/** The same with what is asked, for whoever begins it: an acceptance makes version 2 where nothing came between. */
export const requestBegun = (request: Request, view: View) =>
  lines(
    requestMoved(request, view),
    fenced(request.body),
    request.version > 2 &&
      onStore(`what came of it since: coop request show ${request.ref}`, view.storeFlag),
  );

/** What a reply answers: that it is there, and whom the request waits on now. */
export const requestReplied = (request: Request, view: View) =>
  lines(
    `replied: ${requestMoved(request, view)}`,
    request.waiting_on === null &&
      onStore(
        `it waits on nobody; to ask again: coop request reopen ${request.ref}`,
        view.storeFlag,
      ),
  );

const messageText = ({ verb, at, author, body }: Message, view: View) =>
  lines(line(verb, ago(view, at), inline(author)), fenced(body));

/** A request in full, with its thread. */
export const requestText = (request: Thread, view: View) =>
  lines(
    requestLine(request, view, fullHeading),
    fenced(request.body),
    request.messages.map((message) => messageText(message, view)),
  );
