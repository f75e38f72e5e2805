"""Calls each function of the package once and tells which were called, and what did not come as it is declared."""

import json
import os

import tools.coop as coop

called = []


def call(name, *words, as_id="ann", **flags):
    function = getattr(coop, name)
    answer = function(*words, as_id=as_id, **flags)
    called.append(name)
    kind = function.__annotations__["return"]
    assert type(answer) is kind, f"{name} gives {type(answer).__name__}, not {kind.__name__}"
    if kind is coop.Records:
        assert all(isinstance(each, dict) for each in answer), f"{name} gives {answer}"
    return answer


call("init")

coop.letter_write("one", body="first", as_id="ann")
call("letter_write", title="two", body="second", to="me", supersedes=[1], scope="", wait=5)
assert [each["ref"] for each in call("letter_read")] == ["L2"]
assert call("letter_start", "L2", key="once")["state"] == "working"
assert call("letter_ack", 2, body="got it")["acknowledgement"] == "got it"
assert call("letter_reopen", "L2", if_version=4)["state"] == "unread"
assert call("letter_abandon", "#2", body="never mind")["note"] == "never mind"
listed = call("letter_list", status=["abandoned", "superseded"], mine=True, limit=1)
assert (len(listed), listed.total, listed.truncated) == (1, 2, True)
assert call("letter_show", "L1")["body"] == "first"

call("request_open", "help", to="bob", body="please", kind="review")
assert call("request_list", waiting_on="bob,cid", from_="me")[0]["kind"] == "review"
call("request_reply", "R1", "which one?", as_id="bob")
call("request_accept", "R1", as_id="bob")
call("request_assign", "R1", to="cid")
assert call("request_edit", "R1", title="more help")["title"] == "more help"
call("request_done", "R1", body="here", as_id="cid")
assert len(call("request_show", "R1")["messages"]) == 2
call("request_reopen", "R1")
call("request_decline", "R1", as_id="cid")
coop.request_reopen("R1", as_id="ann")
assert call("request_cancel", "R1")["state"] == "cancelled"

call("todo_add", "one", to="ann", priority=0)
coop.todo_add("two", after=["T1"], as_id="ann")
assert [each["ref"] for each in call("todo_ready")["todos"]] == ["T1"]
call("todo_start", "T1")
call("todo_block", "T1", body="no network")
call("todo_stop", "T1")
call("todo_assign", "T1", nobody=True)
call("todo_done", "T1")
call("todo_reopen", "T1")
call("todo_edit", "T2", not_after="T1", body="by itself")
call("todo_drop", "T1")
assert call("todo_show", "T2")["body"] == "by itself"
assert [each["ref"] for each in call("todo_list", status="all", priority=[0])] == ["T1"]

call("add_history_entry", "project", "first", "First", "why")
call("history_add", "Second", body="why not", slug="second", scope="project")
assert len(call("history_pending", scope="project")["entries"]) == 2
assert call("history_commit", "H1", "abc1234")["commit_sha"] == "abc1234"
assert coop.history_commit("abc1235", scope="project", as_id="ann")["ref"] == "H2"
assert call("history_edit", "second", scope="project", title="2nd")["title"] == "2nd"
assert call("history_show", "first", scope="project")["state"] == "committed"
assert len(call("history_list", all_scopes=True)) == 2

assert call("queue_take", "jobs") == []
call("queue_push", "jobs", '{"pr":17}', to=["ann", "bob"], priority=1)
coop.queue_push("jobs", jsonl='{"payload":"a"}\n{"payload":{"b":1}}\n', as_id="ann")
call("queue_reply", "Q2", "on it", as_id="bob")
assert [each["status"] for each in call("queue_replies", "F1")] == ["waiting", "answered"]
assert [each["ref"] for each in coop.queue_take("jobs", count=9, as_id="ann")] == ["Q1", "Q3", "Q4"]
call("queue_done", "Q1", reply="merged", body="by hand")
call("queue_release", "Q3", from_="ann", as_id="bob")
call("queue_drop", "Q4")
call("queue_reopen", "Q4")
assert call("queue_show", "Q1")["replies"][0]["body"] == "merged"
assert len(call("queue_list", "jobs", taken_by="ann", status="all")) == 1
call("queue_stats")
call("queue_stale", older="1h")
assert call("queue_archive", "jobs", older="0s", to="archive.db")["archived"] == 0

assert call("show", "L1")["ref"] == "L1"
assert call("log", "L1", limit=1)["events"][0]["ref"] == "L1"
assert call("whoami")["id"] == "ann"
call("who", "ann")

assert call("backup", keep=3)["removed"] == []
assert all(each["status"] != "fail" for each in call("doctor")["checks"])
assert coop.doctor(db="/nowhere/coop.db")["checks"][0]["status"] == "fail"
assert call("redact", "L1", text="first")["replaced"]["record"] == 1
assert call("restore", coop.backup()["file"])["saved_as"].startswith("/")

new = os.path.abspath("new.db")
coop.init(db=new)
assert call("copy", from_=coop.whoami()["store"], to=new)["copied"] is True

public = [name for name in vars(coop) if name in called or isinstance(getattr(coop, name), type)]
declared = [name for name in public if getattr(coop, name).__module__.startswith("tools.coop")]
assert sorted(coop.__all__) == sorted(declared), set(coop.__all__) ^ set(declared)

print(json.dumps(called))
