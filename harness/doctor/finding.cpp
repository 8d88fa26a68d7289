#include <harness/doctor/finding.hpp>

#include <linux/if.h>
#include <linux/if_arp.h>

#include <algorithm>
#include <harness/doctor/diagnosis.hpp>

namespace devmap::doctor {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::obstacle:
      return "obstacle";
    case Severity::unknown:
      return "unknown";
    case Severity::caution:
      return "caution";
    case Severity::note:
      break;
  }
  return "note";
}

std::string_view name_of(Prognosis prognosis) {
  switch (prognosis) {
    case Prognosis::delivers:
      return "delivers";
    case Prognosis::does_not_deliver:
      return "does not deliver";
    case Prognosis::cannot_tell:
      break;
  }
  return "cannot tell";
}

Prognosis prognosis(const std::vector<Finding>& findings) {
  const auto has = [&findings](Severity severity) {
    return std::ranges::find(findings, severity, &Finding::severity) != findings.end();
  };
  if (has(Severity::obstacle)) return Prognosis::does_not_deliver;
  return has(Severity::unknown) ? Prognosis::cannot_tell : Prognosis::delivers;
}

std::vector<Finding> diagnose(const Situation& situation, Mode mode) {
  Findings findings;
  diagnose_receiver(situation, mode, findings);
  diagnose_target(situation, mode, findings);
  if (mode == Mode::native) diagnose_ability(situation, findings);
  diagnose_size(situation, mode, findings);
  Findings sorted;
  sorted.reserve(findings.size());
  for (const auto severity : {Severity::obstacle, Severity::unknown, Severity::caution, Severity::note}) {
    std::ranges::copy_if(findings, std::back_inserter(sorted),
                         [severity](const Finding& finding) { return finding.severity == severity; });
  }
  return sorted;
}

std::string title_of(const Device& device) {
  return device.elsewhere ? fmt::format("{} ({})", device.state.name, device.elsewhere->title) : device.state.name;
}

std::uint32_t single_buffer(const Situation& situation) {
  constexpr std::uint32_t kHeadroom = 256;  // XDP_PACKET_HEADROOM
  constexpr std::uint32_t kTail = 320;      // struct skb_shared_info, aligned, where fragments are 17
  return situation.page_size - kHeadroom - kTail;
}

bool is_up(const Device& device) {
  return (device.state.flags & IFF_UP) != 0;
}

bool has_carrier(const Device& device) {
  return (device.state.flags & IFF_LOWER_UP) != 0;
}

bool is_veth(const Device& device) {
  return device.state.kind == "veth";
}

bool is_tun(const Device& device) {
  return device.state.kind == "tun";
}

bool is_loopback(const Device& device) {
  return (device.state.flags & IFF_LOOPBACK) != 0;
}

bool same(const Device& one, const Device& other) {
  const auto path = [](const Device& device) { return device.elsewhere ? device.elsewhere->path : std::string(); };
  return one.ifindex == other.ifindex && path(one) == path(other);
}

const Device* other_of(const Interface& interface) {
  return interface.other && *interface.other ? &**interface.other : nullptr;
}

std::string other_unknown(const Interface& interface) {
  return interface.other && !*interface.other ? interface.other->error().text() : "";
}

std::string other_title(const Interface& interface) {
  if (const Device* const other = other_of(interface)) return title_of(*other);
  return fmt::format("ifindex {} of another namespace", interface.device.state.lower);
}

bool has_fewer_queues(const Interface& veth) {
  const Device& device = veth.device;
  if (!is_veth(device)) return false;
  if (device.features && !device.features->has(XdpFeature::basic)) return true;
  const Device* const peer = other_of(veth);
  return peer != nullptr && device.channels && peer->channels && device.channels->receive < peer->channels->transmit;
}

std::string too_few_queues(const Interface& veth) {
  const Device& device = veth.device;
  const Device* const peer = other_of(veth);
  const auto number = [](const Expected<Channels>& channels, std::uint32_t Channels::* which) {
    return channels ? fmt::format(" ({})", *channels.*which) : std::string();
  };
  return fmt::format("{} has fewer receive queues{} than its peer, {}, transmit queues{}", device.state.name,
                     number(device.channels, &Channels::receive), other_title(veth),
                     peer == nullptr ? "" : number(peer->channels, &Channels::transmit));
}

std::string remedy_for_few_queues(const Interface& veth) {
  const Device& device = veth.device;
  const Device* const peer = other_of(veth);
  if (peer == nullptr || !peer->channels || !device.channels) {
    return on(device,
              fmt::format("ethtool -L {} rx N, with as many as the peer has transmit queues", device.state.name));
  }
  if (device.channels->most_receive >= peer->channels->transmit) {
    return on(device, fmt::format("ethtool -L {} rx {}", device.state.name, peer->channels->transmit));
  }
  return on(*peer, fmt::format("ethtool -L {} tx {}", peer->state.name, device.channels->receive));
}

std::string on(const Device& device, const std::string& command) {
  return device.elsewhere ? device.elsewhere->enter + " " + command : command;
}

}  // namespace devmap::doctor
