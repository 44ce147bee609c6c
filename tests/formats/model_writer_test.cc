// Files: atomic replacement, and what is not a regular file.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "formats/preamble.h"
#include "formats/reader.h"
#include "formats/writer.h"
#include "tests/formats/model_fixtures.h"
#include "tests/test_support.h"

namespace bnn::formats {
namespace {

namespace fs = std::filesystem;

// An empty folder of this test.
std::string Folder(const std::string& name) {
  const std::string folder = test::ScratchDir() + "/model_writer_" + name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

size_t Entries(const std::string& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_CASE("a written file is read back, replaces an older one, and leaves nothing else") {
  const std::string folder = Folder("replace");
  const std::string path = folder + "/m.bnn";
  std::ofstream(path) << "older";
  for (const uint64_t seed : {1, 2}) {
    const Status written = WriteModelFile(RandomModel(seed), path);
    INFO(written.message());
    REQUIRE(written.ok());
    const Result<ModelDef> read = ReadModelFile(path);
    REQUIRE(read.ok());
    CHECK(*read == RandomModel(seed));
    CHECK(Contents(path) == *SerializeModel(RandomModel(seed)));
  }
  CHECK(Entries(folder) == 1);
}

TEST_CASE("new files follow the umask, as those of other programs do") {
  const std::string path = Folder("umask") + "/m.bnn";
  const mode_t before = umask(0027);
  const Status written = WriteModelFile(RandomModel(1), path);
  umask(before);
  REQUIRE(written.ok());
  CHECK(fs::status(path).permissions() == static_cast<fs::perms>(0640));
}

TEST_CASE("an invalid model leaves the existing file as it was") {
  const std::string folder = Folder("invalid");
  std::ofstream(folder + "/m.bnn") << "older";
  ModelDef model = RandomModel(1);
  model.outputs.clear();
  CHECK(WriteModelFile(model, folder + "/m.bnn").code() == StatusCode::kInvalidModel);
  CHECK(Contents(folder + "/m.bnn") == "older");
  CHECK(Entries(folder) == 1);
}

TEST_CASE("folders that cannot be written give an error that names the path") {
  const Status missing = WriteModelFile(RandomModel(1), "/nonexistent/m.bnn");
  CHECK(missing.code() == StatusCode::kIoError);
  CHECK(missing.message() == "/nonexistent/m.bnn: cannot create a file in its folder: No such file or directory");

  if (geteuid() == 0) return test::Skip("an unwritable folder: root may write everywhere");
  const std::string folder = Folder("readonly");
  std::ofstream(folder + "/m.bnn") << "older";
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  const Status denied = WriteModelFile(RandomModel(1), folder + "/m.bnn");
  fs::permissions(folder, fs::perms::owner_all);
  CHECK(denied.code() == StatusCode::kIoError);
  CHECK(Contents(folder + "/m.bnn") == "older");
}

TEST_CASE("a target that cannot be replaced leaves no temporary file behind") {
  const std::string folder = Folder("directory");
  fs::create_directories(folder + "/m.bnn");
  const Status status = WriteModelFile(RandomModel(1), folder + "/m.bnn");
  CHECK(status.code() == StatusCode::kIoError);
  CHECK(status.message() == folder + "/m.bnn: exists and is not a regular file");
  // A trailing slash passes the first look, and fails only at the renaming.
  CHECK(WriteModelFile(RandomModel(1), folder + "/new.bnn/").code() == StatusCode::kIoError);
  CHECK(Entries(folder) == 1);
}

TEST_CASE("a write that fails half way, as on a full disk, leaves the older file and no temporary one") {
  const std::string folder = Folder("full");
  std::ofstream(folder + "/m.bnn") << "older";
  const ModelDef model = EveryOpModel();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small = {1000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status status = WriteModelFile(model, folder + "/m.bnn");
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(status.code() == StatusCode::kIoError);
  CHECK(status.message().find("cannot write: File too large") != std::string::npos);
  CHECK(Contents(folder + "/m.bnn") == "older");
  CHECK(Entries(folder) == 1);
}

TEST_CASE("a symbolic link is written through, and a device is not replaced") {
  const std::string folder = Folder("link");
  std::ofstream(folder + "/real.bnn") << "older";
  fs::create_symlink("real.bnn", folder + "/link.bnn");
  REQUIRE(WriteModelFile(RandomModel(3), folder + "/link.bnn").ok());
  CHECK(fs::is_symlink(folder + "/link.bnn"));
  CHECK(ReadModelFile(folder + "/real.bnn").ok());
  CHECK(WriteModelFile(RandomModel(3), "/dev/null").code() == StatusCode::kIoError);
}

TEST_CASE("what cannot be read says so, with its path") {
  const auto message = [](const std::string& path) {
    const Result<ModelDef> model = ReadModelFile(path);
    REQUIRE_FALSE(model.ok());
    CHECK(model.status().code() == StatusCode::kIoError);
    return model.status().message();
  };
  const std::string folder = Folder("read");
  CHECK(message(folder + "/absent.bnn") == folder + "/absent.bnn: cannot open: No such file or directory");
  CHECK(message(folder) == folder + ": not a regular file");
  CHECK(message("/dev/zero") == "/dev/zero: not a regular file");
  REQUIRE(mkfifo((folder + "/pipe").c_str(), 0600) == 0);
  CHECK(message(folder + "/pipe") == folder + "/pipe: not a regular file");  // and does not wait for a writer

  std::ofstream(folder + "/cut.bnn", std::ios::binary) << SerializeModel(RandomModel(1))->substr(0, 100);
  const Result<ModelDef> cut = ReadModelFile(folder + "/cut.bnn");
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.status().code() == StatusCode::kInvalidModel);
  CHECK(cut.status().message().starts_with(folder + "/cut.bnn: truncated file: found 100 bytes"));
}

TEST_CASE("a file above the limit is refused without being read") {
  const std::string path = Folder("large") + "/m.bnn";
  std::ofstream(path) << "x";
  fs::resize_file(path, static_cast<uintmax_t>(kMaxFileBytes) + 1);  // sparse
  const Result<ModelDef> model = ReadModelFile(path);
  fs::remove(path);
  REQUIRE_FALSE(model.ok());
  CHECK(model.status().message() == path + ": file size: found 2147483648 bytes, expected at most 2147483647");
}

// Written by `BNN_WRITE_FIXTURE=1 formats_model_test -tc="files of earlier versions*"`; only the current
// version's, and only before it is released: these files stand for those that users have.
TEST_CASE("files of earlier versions keep loading") {
  for (int minor = 0; minor <= kFormatMinor; ++minor) {
    const std::string path = test::SourceDir() + "/tests/formats/data/every_op_1." + std::to_string(minor) + ".bnn";
    const bool is_current = minor == kFormatMinor;
    if (is_current && std::getenv("BNN_WRITE_FIXTURE") != nullptr) {
      REQUIRE(WriteModelFile(EveryOpModel(minor), path).ok());
    }
    const Result<ModelDef> model = ReadModelFile(path);
    INFO(model.status().message());
    REQUIRE(model.ok());
    CHECK(*model == EveryOpModel(minor));
  }
}

}  // namespace
}  // namespace bnn::formats
