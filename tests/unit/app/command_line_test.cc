#include "llmbatch/app/command_line.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "app_fixture.h"
#include "llmbatch/app/completions.h"
#include "llmbatch/app/help_text.h"
#include "llmbatch/app/man_page.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CommandLineTest : public AppTest {};

bool program_exists(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

/// What a shell command prints, stderr included.
std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
    out += buffer.data();
  }
  ::pclose(pipe);
  return out;
}

TEST_F(CommandLineTest, FlagsMayStandAnywhereAndTakeBothForms) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"run", "in.jsonl", "--rpm", "500", "--retry=failed,flagged", "-q"},
           {"run", "-q", "--rpm=500", "--retry", "failed,flagged", "in.jsonl"},
           {"run", "--retry", "failed", "--quiet=true", "--retry", "flagged", "--rpm", "1", "--rpm",
            "500", "--", "in.jsonl"}}) {
    const auto parsed = parse(arguments);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->command, Command::run);
    EXPECT_EQ(parsed->positionals, std::vector<std::string>{"in.jsonl"});
    EXPECT_EQ(parsed->settings.integer("rpm"), 500);
    EXPECT_EQ(parsed->settings.list("retry"), (std::vector<std::string>{"failed", "flagged"}));
    EXPECT_TRUE(parsed->settings.flag("quiet"));
    EXPECT_TRUE(parsed->text.empty());
  }
}

TEST_F(CommandLineTest, ValuesAreTakenVerbatim) {
  const auto parsed = parse({"run", "[x].jsonl", "--prompt", "--is {{a}}, [b]", "--stop", "[a,b]",
                             "--stop", "c,d", "--system=", "--temperature", "0.5", "--seed", "-7"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->positionals, std::vector<std::string>{"[x].jsonl"});
  EXPECT_EQ(parsed->settings.text("prompt"), "--is {{a}}, [b]");
  EXPECT_EQ(parsed->settings.list("stop"), (std::vector<std::string>{"[a,b]", "c,d"}));
  EXPECT_TRUE(parsed->settings.has("system"));
  EXPECT_EQ(parsed->settings.text("system"), "");
  EXPECT_EQ(parsed->settings.integer("seed"), -7);
}

TEST_F(CommandLineTest, DashAndCommandWordsAreOrdinaryPositionals) {
  for (const std::string name : {"-", "status", "export", "help"}) {
    const auto parsed = parse({"run", name, "--db", "x.db"});
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->positionals, std::vector<std::string>{name});
  }
  const auto dashed = parse({"run", "--", "--odd-name"});
  ASSERT_TRUE(dashed) << dashed.error().message;
  EXPECT_EQ(dashed->positionals, std::vector<std::string>{"--odd-name"});
}

TEST_F(CommandLineTest, FlagOnTheCommandLineSwitchesOffWhatAFileSwitchedOn) {
  write("work/llmbatch.toml", "strict = true\n");
  const auto on = parse({"run", "x"});
  const auto off = parse({"run", "x", "--strict=false"});
  ASSERT_TRUE(on && off);
  EXPECT_TRUE(on->settings.flag("strict"));
  EXPECT_FALSE(off->settings.flag("strict"));
}

TEST_F(CommandLineTest, MistypedOptionsAndCommandsSuggestTheRightOne) {
  EXPECT_EQ(error({"run", "in.jsonl", "--rmp", "500"}),
            "unknown option '--rmp'; did you mean '--rpm'?");
  EXPECT_EQ(error({"run", "in.jsonl", "--concurency=4"}),
            "unknown option '--concurency'; did you mean '--concurrency'?");
  EXPECT_EQ(error({"rnu", "in.jsonl"}), "unknown command 'rnu'; did you mean 'run'?");
  EXPECT_EQ(error({"tickets.jsonl", "--rpm", "5"}),
            "unknown command 'tickets.jsonl'; did you mean 'llmbatch run tickets.jsonl'?");
  EXPECT_EQ(error({"config", "shwo"}),
            "unknown command 'config shwo'; did you mean 'config show'?");
  EXPECT_EQ(error({"config"}), "'config' needs a second word; did you mean 'config show'?");
  EXPECT_THAT(error({"export", "--rpm", "5"}), HasSubstr("it belongs to 'llmbatch run'"));
  EXPECT_THAT(error({"--rpm", "5"}), StartsWith("option '--rpm' before a command"));
  EXPECT_EQ(error({"--verison"}), "unknown option '--verison'; did you mean '--version'?");
}

TEST_F(CommandLineTest, WrongNumberOfArgumentsIsSaidPlainly) {
  EXPECT_EQ(error({"run"}), "run: INPUT is missing (see 'llmbatch run --help')");
  EXPECT_EQ(error({"run", "a", "b"}), "run: unexpected argument 'b' (see 'llmbatch run --help')");
  EXPECT_EQ(error({"run", "a", "--rpm"}), "--rpm needs a value (N)");
  EXPECT_EQ(error({"run", ""}), "run: INPUT is empty");
  EXPECT_THAT(error({}), StartsWith("no command given\n\nusage: llmbatch"));
}

TEST_F(CommandLineTest, KeyAsAFlagIsRefusedWithoutRepeatingIt) {
  const std::string message = error({"run", "x", "--api-key=sk-secret"});
  EXPECT_THAT(message, HasSubstr("environment"));
  EXPECT_THAT(message, Not(HasSubstr("sk-secret")));
}

TEST_F(CommandLineTest, HelpAndVersionAreTextsToPrint) {
  const std::vector<std::vector<std::string>> same{
      {"run", "--help"}, {"run", "-h"}, {"help", "run"}, {"run", "--nonsense", "-h"}};
  for (const auto& arguments : same) {
    const auto parsed = parse(arguments);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->text, help_text(Command::run, 80));
  }
  EXPECT_EQ(parse({"--version"})->text, parse({"version"})->text);
  EXPECT_THAT(parse({"--version"})->text, StartsWith("llmbatch 0."));
  EXPECT_EQ(parse({"--help"})->text, overview_text(80));
  EXPECT_EQ(parse({"help", "config", "show"})->text, parse({"config", "--help"})->text);
  EXPECT_THAT(error({"help", "rum"}), HasSubstr("did you mean 'run'?"));
}

TEST_F(CommandLineTest, HelpIsNotStoppedByABrokenConfiguration) {
  write("work/llmbatch.toml", "nonsense = [");
  EXPECT_TRUE(parse({"run", "--help"}));
  EXPECT_TRUE(parse({"man"}));
  EXPECT_FALSE(parse({"run", "x"}));
}

TEST(HelpText, ShowsEveryOptionWithinTheWidth) {
  for (const CommandSpec& command : command_table()) {
    for (const std::size_t width : {60U, 80U, 100U}) {
      const std::string help = help_text(command.command, width);
      const std::size_t examples = help.find("\nExamples:");
      std::size_t start = 0;
      while (start < examples) {
        const std::size_t end = help.find('\n', start);
        const std::string line = help.substr(start, end - start);
        // An option with its choices can be longer than a narrow terminal; its text cannot.
        if (!line.starts_with("      --")) {
          EXPECT_LE(static_cast<std::size_t>(display_width(line)), width) << line;
        }
        start = end + 1;
      }
      for (const SettingSpec* spec : settings_of(command.command)) {
        if (contains(spec->commands, command.command)) {
          EXPECT_THAT(help, HasSubstr(spec->flag() + spec->value_help()));
        }
      }
    }
  }
  EXPECT_THAT(help_text(Command::run, 80), HasSubstr("(default: 256)"));
}

TEST(HelpText, WrapsWithoutLosingWords) {
  EXPECT_EQ(wrap_text("one two three", 9, 2, 0), "one two\n  three");
  EXPECT_EQ(wrap_text("one", 9, 4, 4), "one");
  EXPECT_EQ(wrap_text("", 9, 4, 4), "");
  EXPECT_EQ(help_width("200"), 100U);
  EXPECT_EQ(help_width("10"), 60U);
  EXPECT_EQ(help_width("x"), 80U);
}

TEST(Completions, ContainEveryFlagOfEveryCommand) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    ASSERT_TRUE(script);
    for (const SettingSpec& spec : settings_table()) {
      const std::string flag = shell == "fish" ? " -l " + std::string(spec.name) : spec.flag();
      EXPECT_THAT(*script, HasSubstr(flag)) << shell;
    }
  }
  EXPECT_FALSE(completion_script("tcsh"));
}

TEST_F(CommandLineTest, ManPageHasNoRoffWarnings) {
  if (!program_exists("man") || !program_exists("groff")) GTEST_SKIP() << "no man or groff";
  const std::string page = write("work/llmbatch.1", man_page());
  EXPECT_EQ(output_of("LC_ALL=C.UTF-8 man --warnings -l " + page + " 2>&1 >/dev/null"), "");
}

TEST_F(CommandLineTest, CompletionScriptsAreValidForTheirShells) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    if (!program_exists(shell)) continue;
    const std::string script = write("work/script." + shell, *completion_script(shell));
    EXPECT_EQ(output_of(shell + " -n " + script), "") << shell;
  }
}

TEST_F(CommandLineTest, BashCompletesOptionsValuesAndCommands) {
  if (!program_exists("bash")) GTEST_SKIP() << "no bash";
  const std::string script = write("work/completion", *completion_script("bash"));
  const auto complete = [&](const std::string& words, int index) {
    const std::string program = write("work/try", ". " + script + "\nCOMP_WORDS=(" + words +
                                                      ")\nCOMP_CWORD=" + std::to_string(index) +
                                                      "\n_llmbatch\necho \"${COMPREPLY[@]}\"\n");
    return output_of("bash " + program);
  };
  EXPECT_EQ(complete("llmbatch ex", 1), "export\n");
  EXPECT_EQ(complete("llmbatch run in.jsonl --max-t", 3), "--max-tokens\n");
  EXPECT_EQ(complete("llmbatch run --progress j", 3), "json\n");
  EXPECT_EQ(complete("llmbatch config s", 2), "show\n");
  EXPECT_EQ(complete("llmbatch export --rp", 2), "\n");
  EXPECT_EQ(complete("llmbatch ba", 1), "batches\n");
  EXPECT_EQ(complete("llmbatch batches ca", 2), "cancel\n");
  EXPECT_EQ(complete("llmbatch batches forget --y", 3), "--yes\n");
  EXPECT_EQ(complete("llmbatch batches cancel --y", 3), "\n");
}

TEST(ManPage, ContainsEveryFlagAndVariable) {
  const std::string page = man_page();
  EXPECT_THAT(page, StartsWith(".TH LLMBATCH 1 "));
  for (const SettingSpec& spec : settings_table()) {
    std::string escaped;
    for (const char c : spec.flag()) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
    EXPECT_THAT(page, HasSubstr("\\fB" + escaped + "\\fR"));
    if (spec.set_by != SetBy::flag) {
      EXPECT_THAT(page, HasSubstr(spec.environment()));
    }
  }
}

}  // namespace
}  // namespace llmbatch
