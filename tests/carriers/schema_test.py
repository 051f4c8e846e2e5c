"""Every profile that the loader takes is one by the schema that editors complete from; spoiled ones are not."""

import copy
import json
import pathlib
import tomllib
import unittest

import jsonschema

CARRIERS = pathlib.Path(__file__).resolve().parents[2] / "carriers"


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        schema = json.loads((CARRIERS / "profile.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        cls.validator = jsonschema.Draft7Validator(schema)
        cls.profiles = {
            file.parent.name: tomllib.loads(file.read_text(encoding="utf-8"))
            for file in sorted((CARRIERS / "profiles").glob("*/carrier.toml"))
        }

    def test_takes_every_built_in_profile(self):
        self.assertGreater(len(self.profiles), 20)
        for name, profile in self.profiles.items():
            with self.subTest(name):
                self.assertEqual([], [f"{e.json_path}: {e.message}" for e in self.validator.iter_errors(profile)])

    def test_refuses_what_the_loader_refuses(self):
        def spoil(change):
            profile = copy.deepcopy(self.profiles["oca"])
            change(profile)
            return not self.validator.is_valid(profile)

        self.assertTrue(spoil(lambda p: p.update(titel="x")))
        self.assertTrue(spoil(lambda p: p.pop("title")))
        self.assertTrue(spoil(lambda p: p.update(tail="3 days")))
        self.assertTrue(spoil(lambda p: p["track"]["answer"].update(format="yaml")))
        self.assertTrue(spoil(lambda p: p["track"]["event"].update(code=7)))
        self.assertTrue(spoil(lambda p: p["track"]["event"].update(code={"pattern": "x"})))
        self.assertTrue(spoil(lambda p: p["track"]["status"][0].update(status="unmapped")))


if __name__ == "__main__":
    unittest.main()
