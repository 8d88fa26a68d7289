#include <harness/manual/man_page.hpp>

#include <harness/manual/tests/sample.hpp>

#include <gmock/gmock.h>

namespace devmap::manual {
namespace {

TEST(ManPage, OfAProgramWithACommand) {
  EXPECT_EQ(
      man_page(
          test::sample(),
          {.section = "8", .source = "a-tool 1.0", .date = "2026-01-02", .see_also = {"other-tool(1)", "third(8)"}}),
      R"(.\" Made from the command line of a-tool.
.TH A\-TOOL 8 2026-01-02 "a\-tool 1.0"
.SH NAME
a\-tool \- shows things
.SH SYNOPSIS
\fBa\-tool\fR [\fIoptions\fR]
.br
\fBa\-tool show\fR [\fIoptions\fR] \fINAME\fR ...
.SH DESCRIPTION
Shows things.
.PP
It goes on here.
.SH OPTIONS
.TP
\fB\-\-help\fR
Print this
.SS What to print
.TP
\fB\-o\fR, \fB\-\-output\fR \fIFORMAT:FILE\fR
Where it\(aqs written; \(aq.\(aq is here
.TP
\fB\-\-when\fR \fIWHEN\fR
[always] or never: see \fBtool list\fR
.SH COMMANDS
.SS show
\fBa\-tool show\fR [\fIoptions\fR] \fINAME\fR ...
.PP
Show one.
.TP
\fINAME\fR
What is shown
.SH EXIT STATUS
.TP
\fB0\fR
all
.TP
\fB1\fR
some, or none
.TP
\fB128 + N\fR
by signal N
.SS show
Ends with 0.
.SH EXAMPLES
.TP
\fBa\-tool \-\-when always\fR
Shows all of it
.TP
\fBa\-tool show \(aqx.y\(aq\fR
Shows x.y
.SH SEE ALSO
\fBother\-tool\fR(1),
\fBthird\fR(8)
)");
}

TEST(ManPage, EscapesWhatRoffWouldTakeForItsOwn) {
  CommandLine line{.name = "tool", .summary = "Does"};
  line.options = {{.names = {"--a"}, .description = ".start with \\ and ~ and ^ and ` alone", .group = "Options"}};
  EXPECT_THAT(man_page(line, {.section = "1", .source = "s", .date = "d"}),
              testing::HasSubstr("\n\\&.start with \\e and \\(ti and \\(ha and \\(ga alone\n"));
}

}  // namespace
}  // namespace devmap::manual
