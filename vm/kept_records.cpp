#include <vm/kept_records.hpp>

#include <vm/files.hpp>

#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <cstring>
#include <harness/base/file.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

nlohmann::json json_of(const RunIdentity& identity) {
  return {{"build_id", identity.build_id}, {"arguments", identity.arguments}, {"kernel", identity.kernel}};
}

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

/// The build ID among the notes, which are left as they lie in the file; empty where it is none of them.
std::string build_id_among(Elf_Data& notes) {
  GElf_Nhdr note{};
  std::size_t name = 0;
  std::size_t content = 0;
  std::size_t offset = 0;
  while ((offset = gelf_getnote(&notes, offset, &note, &name, &content)) != 0) {
    const auto* const bytes = static_cast<const unsigned char*>(notes.d_buf);
    const bool is_gnu =
        note.n_namesz == sizeof ELF_NOTE_GNU && std::memcmp(bytes + name, ELF_NOTE_GNU, note.n_namesz) == 0;
    if (note.n_type != NT_GNU_BUILD_ID || !is_gnu) continue;
    std::string text;
    for (std::size_t i = 0; i < note.n_descsz; ++i) text += fmt::format("{:02x}", bytes[content + i]);
    return text;
  }
  return {};
}

}  // namespace

Expected<KeptRecords> KeptRecords::in(const fs::path& directory) {
  KeptRecords records(directory);
  const auto state = directory / ".state";
  if (auto made = make_directories(state); !made) return std::unexpected(made.error());
  if (const auto probe = TemporaryDirectory::create(state); !probe) return std::unexpected(probe.error());
  return records;
}

Expected<void> KeptRecords::keep(const std::string& label, const std::string& record, const RunIdentity& identity,
                                 int exit_code) const {
  // Whatever happens in between, no record is taken for that of another run.
  std::error_code absent;
  fs::remove(state_of(label), absent);
  if (auto kept = replace_by(record_of(label), record); !kept) return kept;
  auto state = json_of(identity);
  state["exit_code"] = exit_code;
  return replace_by(state_of(label), state.dump(2) + "\n");
}

std::optional<KeptRecords::Complete> KeptRecords::complete(const std::string& label,
                                                           const RunIdentity& identity) const {
  const auto text = read_file(state_of(label).string());
  if (!text || identity.build_id.empty()) return std::nullopt;
  auto state = nlohmann::json::parse(*text, nullptr, false);
  if (!state.is_object() || !state.contains("exit_code") || !state["exit_code"].is_number_integer())
    return std::nullopt;
  const int exit_code = state["exit_code"];
  state.erase("exit_code");
  if (state != json_of(identity)) return std::nullopt;
  const auto record = read_file(record_of(label).string());
  if (!record) return std::nullopt;
  auto run = RecordedRun::parse(*record, record_of(label).string());
  if (!run || run->partial) return std::nullopt;
  return Complete{.run = std::move(*run), .exit_code = exit_code};
}

std::optional<double> KeptRecords::seconds_of(const std::string& label) const {
  const auto record = read_file(record_of(label).string());
  if (!record) return std::nullopt;
  const auto run = RecordedRun::parse(*record, label);
  constexpr double kMilliseconds = 1000;
  return run ? std::optional(run->duration_ms / kMilliseconds) : std::nullopt;
}

fs::path KeptRecords::record_of(const std::string& label) const {
  return directory_ / (label + ".json");
}

fs::path KeptRecords::console_of(const std::string& label) const {
  return directory_ / (label + ".console");
}

fs::path KeptRecords::state_of(const std::string& label) const {
  return directory_ / ".state" / (label + ".json");
}

std::string build_id_of(std::string_view executable) {
  elf_version(EV_CURRENT);
  // libelf does not write to what it is only asked to read.
  const std::unique_ptr<Elf, EndElf> elf(elf_memory(
      const_cast<char*>(executable.data()), executable.size()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  std::size_t parts = 0;
  if (!elf || elf_getphdrnum(elf.get(), &parts) != 0) return {};
  for (std::size_t i = 0; i < parts; ++i) {
    GElf_Phdr part{};
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &part) == nullptr || part.p_type != PT_NOTE) continue;
    auto* const notes = elf_getdata_rawchunk(elf.get(), static_cast<std::int64_t>(part.p_offset), part.p_filesz,
                                             part.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (notes == nullptr) continue;
    if (auto found = build_id_among(*notes); !found.empty()) return found;
  }
  return {};
}

}  // namespace devmap::vm
