#include "monitor_choice.h"

namespace llmbatch {

ProgressMode progress_mode(ProgressStyle style) {
  switch (style) {
    case ProgressStyle::automatic:
      return ProgressMode::automatic;
    case ProgressStyle::bar:
      return ProgressMode::bar;
    case ProgressStyle::log:
      return ProgressMode::log;
    case ProgressStyle::json:
      return ProgressMode::json;
    case ProgressStyle::none:
      return ProgressMode::none;
  }
  return ProgressMode::automatic;
}

ColorMode color_mode(ColorChoice choice) {
  switch (choice) {
    case ColorChoice::automatic:
      return ColorMode::automatic;
    case ColorChoice::always:
      return ColorMode::always;
    case ColorChoice::never:
      return ColorMode::never;
  }
  return ColorMode::automatic;
}

}  // namespace llmbatch
