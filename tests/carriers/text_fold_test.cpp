#include "carriers/text_fold.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace remitod::test {
namespace {

using carriers::fold;

TEST(Fold, CaseAccentsAndSpacingMakeNoDifference) {
  EXPECT_EQ(fold("  ENTREGÓ \t en\r\ndomicilio "), "entrego en domicilio");
  EXPECT_EQ(fold("Devolución al remitente"), fold("DEVOLUCION  AL REMITENTE"));
  EXPECT_EQ(fold("no\xC2\xA0\xC2\xA0"
                 "hay"),
            "no hay")
      << "no-break spaces";
  EXPECT_EQ(fold("pin\xCC\x83"
                 "a"),
            "pina")
      << "a combining tilde";
}

TEST(Fold, LettersOfLatin1AndExtendedALoseTheirAccents) {
  EXPECT_EQ(fold("ÀÁÂÃÄÅàáâãäåĀāĂăĄą"), "aaaaaaaaaaaaaaaaaa");
  EXPECT_EQ(fold("ÇçĆćĈĉĊċČč"), "cccccccccc");
  EXPECT_EQ(fold("ÈÉÊËèéêëĒē ÌÍÎÏìíîïĨı ÒÓÔÕÖØòóôõöø ÙÚÛÜùúûüŨų"), "eeeeeeeeee iiiiiiiiii oooooooooooo uuuuuuuuuu");
  EXPECT_EQ(fold("ÆæŒœĲĳßÞþ"), "aeaeoeoeijijssthth");
  EXPECT_EQ(fold("ÑñŃńŅņŇňŊŋ ÝýÿŶŷŸ ĹłŁ ŔřŘ ŚšŠ ŢťŦ ŴŵŹžŽſ"), "nnnnnnnnnn yyyyyy lll rrr sss ttt wwzzzs");
}

TEST(Fold, OtherLettersAndBytesThatAreNoUtf8StayAsTheyAre) {
  EXPECT_EQ(fold("2 × 3 ÷ 1 ñandú — Ω漢😀"), "2 × 3 ÷ 1 nandu — Ω漢😀");
  EXPECT_EQ(fold("Entreg\xF3 A"), "entreg\xF3 a");
  EXPECT_EQ(fold("\xC3"), "\xC3");
  EXPECT_EQ(fold(" \t "), "");
}

RC_GTEST_PROP(Fold, WhatIsFoldedStaysWhenFoldedAgain, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("Á", "a", " ", "\xC2\xA0", "e\xCC\x81", "Z", "ß", "Œ", "漢", "\n", "7"));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  RC_ASSERT(fold(fold(text)) == fold(text));
}

}  // namespace
}  // namespace remitod::test
