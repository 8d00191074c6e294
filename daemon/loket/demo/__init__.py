"""A town in a box: an embedded mail town whose applicants and officers let `loket demo` be seen at work."""
