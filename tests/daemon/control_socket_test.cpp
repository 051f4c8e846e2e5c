#include "daemon/control_socket.h"

#include <gmock/gmock.h>

#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::Config;
using daemon::ControlSocket;
using daemon::ListeningSocket;
using daemon::socket_path_taken;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ControlSocketTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  /// A configuration with its control socket there.
  static Config at(const std::string& path) {
    Config config;
    config.file = "remitod.toml";
    config.lines["daemon.control_socket"] = 5;
    config.control_socket = path;
    return config;
  }
  static ControlSocket open(const std::string& path) {
    auto socket = ControlSocket::open(at(path));
    if (!socket) throw std::runtime_error(socket.error().to_string());
    return std::move(*socket);
  }
  static bool listens(const std::string& path) { return socket_path_taken(path).contains("another daemon listens"); }
  static std::string refusal(ControlSocket& socket, const std::string& path) {
    const auto prepared = socket.prepare(at(path));
    return prepared ? "" : prepared.error().to_string();
  }

  TemporaryFolder folder_;
};

TEST_F(ControlSocketTest, AReloadKeepsASocketWhosePathStays) {
  ControlSocket socket = open(path("control.sock"));
  const int descriptor = socket.descriptor();
  for (const std::string& spelled : {path("control.sock"), path("./control.sock"),
                                     path("..") + "/" + folder_.path().filename().string() + "//control.sock"}) {
    EXPECT_EQ(refusal(socket, spelled), "") << spelled;
    socket.turn();
    EXPECT_EQ(socket.descriptor(), descriptor) << spelled;
    EXPECT_TRUE(listens(path("control.sock")));
  }
}

TEST_F(ControlSocketTest, AnotherPathIsTakenBeforeTheOldOneIsGivenUp) {
  ControlSocket socket = open(path("old.sock"));
  EXPECT_EQ(refusal(socket, path("new.sock")), "");
  EXPECT_TRUE(listens(path("old.sock")) && listens(path("new.sock")));
  EXPECT_EQ(refusal(socket, path("new.sock")), "") << "a reload during the reload finds it its own";
  socket.turn();
  EXPECT_FALSE(std::filesystem::exists(path("old.sock")));
  EXPECT_TRUE(listens(path("new.sock")));
  socket.close();
  EXPECT_FALSE(std::filesystem::exists(path("new.sock")));
}

TEST_F(ControlSocketTest, AReloadThatGoesBackToTheOldPathLeavesNothingOfTheOther) {
  ControlSocket socket = open(path("old.sock"));
  EXPECT_EQ(refusal(socket, path("new.sock")), "");
  EXPECT_EQ(refusal(socket, path("old.sock")), "");
  EXPECT_FALSE(std::filesystem::exists(path("new.sock")));
  socket.turn();
  EXPECT_TRUE(listens(path("old.sock")));
}

TEST_F(ControlSocketTest, APathThatCannotBeIsToldWithItsLineAndChangesNothing) {
  ControlSocket socket = open(path("control.sock"));
  const auto another = ListeningSocket::open(path("another.sock"));
  write_file(path("file"), "");
  const std::string where = "remitod.toml:5: daemon.control_socket: ";
  EXPECT_THAT(refusal(socket, path("another.sock")), AllOf(StartsWith(where), HasSubstr("another daemon listens")));
  EXPECT_THAT(refusal(socket, path("file")), AllOf(StartsWith(where), HasSubstr("is no socket")));
  EXPECT_THAT(refusal(socket, path("nowhere/control.sock")),
              AllOf(StartsWith(where), HasSubstr("nowhere does not exist")));
  EXPECT_THAT(refusal(socket, path(std::string(120, 'a'))),
              AllOf(StartsWith(where), HasSubstr("longer than the system allows")));
  socket.turn();
  EXPECT_TRUE(listens(path("control.sock")));
  const auto second = ControlSocket::open(at(path("control.sock")));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().to_string(), StartsWith(where));
}

TEST_F(ControlSocketTest, AFileThatWasTakenAwayIsThereAgainAfterAReload) {
  ControlSocket socket = open(path("control.sock"));
  std::filesystem::remove(path("control.sock"));
  EXPECT_EQ(refusal(socket, path("control.sock")), "");
  socket.turn();
  EXPECT_TRUE(listens(path("control.sock")));
}

}  // namespace
}  // namespace remitod::test
