#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <span>

namespace devmap {

/// Bytes of a transparent huge page; 0 where the kernel gives none (Documentation/admin-guide/mm/transhuge.rst).
[[nodiscard]] std::size_t huge_page_size();

/// Moves memory that is mapped from a file and only read, as far as it fills huge pages, to anonymous ones: same place,
/// same content, with this protection (PROT_READ, PROT_EXEC). A child by fork(2) has them mapped, while it would fault
/// in pages of a file one after the other (mm/memory.c:vma_needs_copy). No other thread may use it meanwhile.
/// Gives how many bytes were moved: none where no huge page is filled, or the kernel gives none.
[[nodiscard]] Expected<std::size_t> move_to_huge_pages(std::span<const std::byte> mapped, int protection);

/// The same of this program's own instructions and constants, for one that forks often; before it has other threads.
/// What a debugger or a profiler knows of them by their file is then only known by their address.
[[nodiscard]] Expected<std::size_t> move_program_to_huge_pages();

}  // namespace devmap
