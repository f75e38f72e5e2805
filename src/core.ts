// oxlint-disable import/no-unassigned-import
//
// What every command runs that does something. The build makes it one part of the executable, which loads at once what
// would be dozens of parts; a group of commands alone needs no more than `cli/program`.
import "./cli/execute";
import "./cli/answer";
import "./store/counters";
import "./store/listing";
import "./store/moves";
import "./store/records";
