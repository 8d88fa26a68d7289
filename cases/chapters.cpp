#include <cases/chapters.hpp>

namespace devmap::cases {

Registry all_chapters() {
  Registry rules;
  add_constants_chapter(rules);
  add_integration_chapter(rules);
  add_create_chapter(rules);
  add_update_chapter(rules);
  add_lookup_chapter(rules);
  add_delete_chapter(rules);
  add_iter_chapter(rules);
  add_life_chapter(rules);
  add_owner_chapter(rules);
  add_verif_chapter(rules);
  add_attach_chapter(rules);
  add_retval_chapter(rules);
  add_state_chapter(rules);
  add_trun_chapter(rules);
  add_delivery_chapter(rules);
  add_native_chapter(rules);
  add_generic_chapter(rules);
  add_bcast_chapter(rules);
  add_egress_chapter(rules);
  add_event_chapter(rules);
  add_conc_chapter(rules);
  add_limit_chapter(rules);
  return rules;
}

}  // namespace devmap::cases
