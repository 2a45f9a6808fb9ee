#include "coordinator/launch/launch.h"
#include "coordinator/launch/supervise.h"
#include "tests/support/test_folder.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace hanse {
namespace {

TEST(Launch, StartsOneCoordinatorAndTheWorkersWithTheSameArguments) {
  ::unsetenv("HANSE_MPIRUN");
  const Launch launch{"f.ini", {"server.learning_rate=2"}, 3, std::nullopt, "/bin/here"};

  EXPECT_EQ(shell_line({{"A", "b c"}}, mpirun_line(launch)),
            "A='b c' mpirun -n 1 /bin/here/hanse-coordinator f.ini server.learning_rate=2"
            " : -n 3 /bin/here/hanse-worker f.ini server.learning_rate=2");
}

TEST(Launch, NamesTheHostfileForBothKindsOfRanks) {
  ::setenv("HANSE_MPIRUN", "/opt/mpirun", 1);
  const Launch launch{"f.ini", {}, 2, "hosts", "/b"};

  EXPECT_EQ(shell_line({}, mpirun_line(launch)),
            "/opt/mpirun --hostfile hosts -n 1 /b/hanse-coordinator f.ini : --hostfile hosts -n 2 "
            "/b/hanse-worker f.ini");
  ::unsetenv("HANSE_MPIRUN");
}

TEST(Launch, PutsTheArbiterBehindAllWorkers) {
  ::unsetenv("HANSE_MPIRUN");
  const Launch launch{"f.ini", {}, 3, "hosts", "/b", true};

  EXPECT_EQ(shell_line({}, mpirun_line(launch)),
            "mpirun --hostfile hosts -n 1 /b/hanse-coordinator f.ini : --hostfile hosts -n 3 /b/hanse-worker "
            "f.ini : "
            "--hostfile hosts -n 1 /b/hanse-worker f.ini");
}

TEST(Launch, QuotesForTheShell) {
  EXPECT_EQ(shell_line({}, {"a b", "", "it's", "$HOME", "plain/1.0"}),
            "'a b' '' 'it'\\''s' '$HOME' plain/1.0");
}

TEST(Launch, KeepsTheUsersOwnSettings) {
  const auto has = [](const auto& settings, const std::string& name) {
    return std::any_of(settings.begin(), settings.end(), [&](const auto& s) { return s.first == name; });
  };
  ::unsetenv("OMPI_MCA_orte_enable_recovery");
  ::unsetenv("OMPI_ALLOW_RUN_AS_ROOT");
  EXPECT_TRUE(has(missing_mpi_settings(true), "OMPI_MCA_orte_enable_recovery"));
  EXPECT_TRUE(has(missing_mpi_settings(true), "OMPI_ALLOW_RUN_AS_ROOT"));
  EXPECT_FALSE(has(missing_mpi_settings(false), "OMPI_ALLOW_RUN_AS_ROOT"));

  ::setenv("OMPI_MCA_orte_enable_recovery", "0", 1);

  EXPECT_FALSE(has(missing_mpi_settings(true), "OMPI_MCA_orte_enable_recovery"));
  ::unsetenv("OMPI_MCA_orte_enable_recovery");
}

TEST(Launch, StartsNoMoreWorkersThanMerchantsAndOneForEachFile) {
  Configuration configuration;
  EXPECT_GE(default_workers(configuration), 1u);
  EXPECT_LE(default_workers(configuration), 4u);
  configuration.data.partition = "iid:1";
  EXPECT_EQ(default_workers(configuration), 1u);

  const auto folder = test_folder() / "hanse_workers";
  std::filesystem::create_directories(folder);
  for (const char* name : {"m1.csv", "m2.csv", "m3.csv", "m4.csv", "m5.csv", "m7.csv"}) {
    std::ofstream(folder / name) << "x";
  }
  configuration.data.path = (folder / "m{worker}.csv").string();

  EXPECT_EQ(default_workers(configuration), 5u);
  std::filesystem::remove_all(folder);
}

TEST(Launch, FindsProgramsAsAShellDoes) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_TRUE(find_program("/bin/sh"));
  EXPECT_FALSE(find_program("no-such-program-anywhere"));
  EXPECT_FALSE(find_program("/etc/passwd"));
}

TEST(Supervise, EndsAndContinuesARunWhoseCoordinatorGivesNoSignOfLife) {
  for (const char* silent :
       {"while true; do sleep 0.1; done",
        "echo running $$ > $HANSE_STATUS; trap '' TERM; while true; do sleep 0.1; done"}) {
    const Supervised run{.line = {"/bin/sh", "-c", silent},
                         .continued = {"/bin/sh", "-c", "echo done 0 > $HANSE_STATUS"},
                         .environment = {},
                         .restarts = 1,
                         .patience = std::chrono::milliseconds(300)};

    EXPECT_EXIT(std::exit(supervise(run)), testing::ExitedWithCode(0),
                "hanse run: the coordinator gave no sign of life for 0 s; restart 1 of 1 continues the run");
  }
}

}  // namespace
}  // namespace hanse
