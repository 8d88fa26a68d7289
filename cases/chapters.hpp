#pragma once

#include <harness/spec/registry.hpp>

namespace devmap::cases {

// One function a chapter, each in the file of its name: it opens the chapter and adds its rules.
void add_constants_chapter(Registry& rules);
void add_integration_chapter(Registry& rules);
void add_create_chapter(Registry& rules);
void add_update_chapter(Registry& rules);
void add_lookup_chapter(Registry& rules);
void add_delete_chapter(Registry& rules);
void add_iter_chapter(Registry& rules);
void add_life_chapter(Registry& rules);
void add_owner_chapter(Registry& rules);
void add_verif_chapter(Registry& rules);
void add_attach_chapter(Registry& rules);
void add_retval_chapter(Registry& rules);
void add_state_chapter(Registry& rules);
void add_trun_chapter(Registry& rules);
void add_delivery_chapter(Registry& rules);
void add_native_chapter(Registry& rules);
void add_generic_chapter(Registry& rules);
void add_bcast_chapter(Registry& rules);
void add_egress_chapter(Registry& rules);
void add_event_chapter(Registry& rules);
void add_conc_chapter(Registry& rules);
void add_limit_chapter(Registry& rules);

// The other files of chapters that have more than one; the chapter's own function adds their rules.
void add_create_type_attributes(Registry& rules);
void add_create_rights(Registry& rules);
void add_create_context(Registry& rules);
void add_update_call(Registry& rules);
void add_update_context(Registry& rules);
void add_update_programs(Registry& rules);
void add_owner_restricted_rules(Registry& rules);
void add_verif_context_rules(Registry& rules);
void add_verif_helper_rules(Registry& rules);
void add_native_devices(Registry& rules);
void add_bcast_devices(Registry& rules);
void add_bcast_copies(Registry& rules);

/// All chapters, in the order in which they are reported.
[[nodiscard]] Registry all_chapters();

/// Rules that fail on purpose, one for each way of failing, so that it can be tested that failures are seen.
[[nodiscard]] Registry calibration();

}  // namespace devmap::cases
