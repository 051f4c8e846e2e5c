// Public holidays that are known without configuration. They are laws, and laws change: each entry has the year from
// which it holds. Days that are decreed for one year, and those of a region, are stated in the configuration.

#include <array>

#include "scheduler/calendar.h"

namespace remitod::scheduler {
namespace {

// Peru: Decreto Legislativo 713 and its amendments, as collected in countries/peru.py of vacanza/holidays (MIT). None
// is moved to a Monday.
constexpr std::array peru{
    YearlyHoliday{.month = 1, .day = 1},                  // Año Nuevo
    YearlyHoliday{.days_from_easter = -3},                // Jueves Santo
    YearlyHoliday{.days_from_easter = -2},                // Viernes Santo
    YearlyHoliday{.days_from_easter = 0},                 // Domingo de Resurrección
    YearlyHoliday{.month = 5, .day = 1},                  // Día del Trabajo
    YearlyHoliday{.month = 6, .day = 7, .since = 2024},   // Batalla de Arica y Día de la Bandera: Ley 31788
    YearlyHoliday{.month = 6, .day = 29},                 // San Pedro y San Pablo
    YearlyHoliday{.month = 7, .day = 23, .since = 2023},  // Día de la Fuerza Aérea: Ley 31822
    YearlyHoliday{.month = 7, .day = 28},                 // Fiestas Patrias
    YearlyHoliday{.month = 7, .day = 29},                 // Fiestas Patrias
    YearlyHoliday{.month = 8, .day = 6, .since = 2022},   // Batalla de Junín
    YearlyHoliday{.month = 8, .day = 30},                 // Santa Rosa de Lima
    YearlyHoliday{.month = 10, .day = 8},                 // Combate de Angamos
    YearlyHoliday{.month = 11, .day = 1},                 // Todos los Santos
    YearlyHoliday{.month = 12, .day = 8},                 // Inmaculada Concepción
    YearlyHoliday{.month = 12, .day = 9, .since = 2022},  // Batalla de Ayacucho
    YearlyHoliday{.month = 12, .day = 25},                // Navidad
};

constexpr std::array<std::string_view, 1> names{"peru"};

}  // namespace

std::span<const YearlyHoliday> built_in_holidays(std::string_view name) {
  if (name == "peru") return peru;
  return {};
}

std::span<const std::string_view> built_in_holiday_names() {
  return names;
}

// The golden number names the year's place in the moon's cycle of 19 years; the epact, its age on 1 January, corrected
// for the leap days and the drift of the moon that whole centuries bring. Easter is the Sunday after the full moon on
// or after 21 March (Clavius 1603, in the form of Knuth, The Art of Computer Programming, 1.3.2, exercise 14).
std::chrono::local_days easter_sunday(int year) {
  const int golden = year % 19 + 1;
  const int century = year / 100 + 1;
  const int leap_days_dropped = 3 * century / 4 - 12;
  const int moon_drift = (8 * century + 5) / 25 - 5;
  const int sunday = 5 * year / 4 - leap_days_dropped - 10;
  int epact = ((11 * golden + 20 + moon_drift - leap_days_dropped) % 30 + 30) % 30;
  if ((epact == 25 && golden > 11) || epact == 24) ++epact;
  int full_moon = 44 - epact;
  if (full_moon < 21) full_moon += 30;
  const int day_of_march = full_moon + 7 - (sunday + full_moon) % 7;
  return std::chrono::local_days{std::chrono::year{year} / std::chrono::March / 1} +
         std::chrono::days{day_of_march - 1};
}

}  // namespace remitod::scheduler
