// A daemon's file carriers on a virtual clock, with a real folder or server and a real database.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "daemon/file_poller.h"
#include "daemon/log.h"
#include "tests/support/file_servers.h"
#include "tests/support/files_profile.h"
#include "tests/support/virtual_daemon.h"

namespace remitod::test {

/// A folder, how a profile names it, and with which key.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::filesystem::path out() const = 0;
  virtual std::string feed() const = 0;
  virtual std::string key() const { return "no key"; }
};

class LocalPlace : public Place {
 public:
  std::filesystem::path out() const override { return folder_.path(); }
  std::string feed() const override { return "url = 'file://" + folder_.path().string() + "/*.csv'\n"; }

 private:
  TemporaryFolder folder_;
};

class SshPlace : public Place {
 public:
  explicit SshPlace(bool with_key) : with_key_(with_key) {}
  std::filesystem::path out() const override { return server_.out(); }
  std::string feed() const override {
    return "url = 'sftp://" + server_.authority() + "/~/out/*.csv'\nuser = '" + file_user + "'\nhost_key = '" +
           server_.host_key() + "'\n" +
           (with_key_ ? "key = '{{secrets.key}}'\n" : "password = '{{secrets.password}}'\n");
  }
  std::string key() const override { return server_.private_key(); }

 private:
  bool with_key_;
  SshServer server_;
};

class FtpPlace : public Place {
 public:
  explicit FtpPlace(FtpServer::Speaks speaks) : speaks_(speaks), server_(speaks) {}
  std::filesystem::path out() const override { return server_.out(); }
  std::string feed() const override {
    const std::string scheme = speaks_ == FtpServer::Speaks::tls ? "ftpes" : "ftp";
    return "url = '" + scheme + "://" + server_.authority() + "/out/*.csv'\nuser = '" + file_user +
           "'\npassword = '{{secrets.password}}'\n";
  }
  std::filesystem::path ca_file() const { return server_.ca_file(); }

 private:
  FtpServer::Speaks speaks_;
  FtpServer server_;
};

/// What a daemon has of file carriers; a restart is a new one.
struct Reader {
  Reader(VirtualDatabase& database, const std::shared_ptr<const carriers::Profile>& profile,
         const carriers::FileSite& site, Instant now, bool shadow)
      : runtime(now),
        executor(runtime, database),
        offload(runtime),
        raw(runtime, executor),
        poller(runtime, offload, executor, raw, {[this] { ++transitions_told; }}) {
    daemon::set_up_log("off");
    poller.add_carrier(profile, carriers::open_files(site), shadow);
  }
  const daemon::FileCounters& counters() const { return poller.carriers().front().counters; }

  int transitions_told = 0;
  VirtualRuntime runtime;
  VirtualExecutor executor;
  VirtualOffload offload;
  daemon::RawKeeper raw;
  daemon::FilePoller poller;
};

class FilePollerTest : public testing::Test {
 protected:
  void begin(std::unique_ptr<Place> place, const std::string& keys = "") {
    place_ = std::move(place);
    keys_ = keys;
    restart();
  }
  void begin_locally(const std::string& keys = "") { begin(std::make_unique<LocalPlace>(), keys); }
  void restart() {
    make_reader();
    reader->poller.start();
    reader->runtime.run_queued();
  }
  /// A new process, before its start.
  void make_reader() {
    const Instant now = reader ? reader->runtime.now() : monday;
    reader.reset();
    const auto profile = files_profile(place_->feed() + keys_, place_->key());
    carriers::FileSite site = carriers::file_feed(*profile)->site;
    if (const auto* const ftp = dynamic_cast<const FtpPlace*>(place_.get())) site.ca_file = ftp->ca_file().string();
    reader = std::make_unique<Reader>(database, profile, site, now, shadow);
  }
  void follow(const std::string& remito) {
    database.sql(
        "insert into shipments (order_number, carrier, remito, accepted_at, registered_at, cycle) values ('1001', "
        "'files_express', '" +
        remito + "', " + std::to_string(to_micros(monday)) + ", " + std::to_string(to_micros(monday)) + ", 1)");
  }
  std::filesystem::path path(const std::string& name) const { return place_->out() / name; }
  void put(const std::string& name, const std::string& text) { write_file(path(name), text); }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
  }
  /// As if the file had been written so much later.
  void touch(const std::string& name, std::chrono::minutes later) {
    std::filesystem::last_write_time(path(name), std::filesystem::last_write_time(path(name)) + later);
  }
  static std::string row(const std::string& remito, const std::string& state, const std::string& time = "09:00") {
    return remito + ";" + state + ";24/11/2026 " + time + ";Lima\n";
  }
  void pass(std::chrono::minutes time) { reader->runtime.run_for(time); }
  std::string status(const std::string& remito) {
    return database.text("select status from shipments where remito = '" + remito + "'");
  }
  std::int64_t count(const std::string& from_where) { return database.number("select count(*) from " + from_where); }
  const daemon::FileCounters& counters() const { return reader->counters(); }

  VirtualDatabase database;
  std::unique_ptr<Reader> reader;
  bool shadow = false;  ///< of the next process

 private:
  std::unique_ptr<Place> place_;
  std::string keys_;
};

}  // namespace remitod::test
