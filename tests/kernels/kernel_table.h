// What tests do with a kernel table: run all of it that this CPU can run, and check the table itself.
#pragma once

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cpu_features.h"
#include "kernels/select.h"
#include "tests/test_support.h"

namespace bnn::test {

// The kernels of the table that this CPU can run, best first, so that the reference is the last one. The others are
// recorded as skipped.
template <class List>
auto RunnableKernels(const List& list) {
  std::vector<std::remove_cvref_t<decltype(*list.begin)>> runnable;
  for (int64_t i = 0; i < list.size; ++i) {
    const char* const isa = kernels::IsaName(list.begin[i]->isa);
    if (CpuHasIsa(isa)) {
      runnable.push_back(list.begin[i]);
    } else {
      Skip(std::string(list.begin[i]->name) + ": this CPU lacks " + isa);
    }
  }
  return runnable;
}

// The table is ordered by instruction set, best first, and ends with the only reference; names are unique.
// `select(isa)` takes the best kernel that is not above `isa` and that this CPU can run.
template <class List, class Select>
void CheckTable(const List& list, const Select& select) {
  using kernels::Isa;
  REQUIRE(list.size >= 1);
  std::set<std::string> names;
  for (int64_t i = 0; i < list.size; ++i) {
    CHECK(names.insert(list.begin[i]->name).second);
    CHECK((list.begin[i]->isa == Isa::kReference) == (i + 1 == list.size));
    if (i > 0) CHECK(list.begin[i - 1]->isa >= list.begin[i]->isa);
  }
  for (const Isa limit : kernels::kAllIsas) {
    const auto* const chosen = select(limit);
    CHECK(chosen->isa <= limit);
    CHECK(kernels::IsaSupported(chosen->isa));
    for (int64_t i = 0; i < list.size; ++i) {
      const Isa isa = list.begin[i]->isa;
      if (isa <= limit && kernels::IsaSupported(isa)) CHECK(chosen->isa >= isa);
    }
  }
}

// `select(refused, context)` takes no kernel that another one of its instruction set beats on this CPU, and says why.
template <class List, class Select>
void CheckCpuRefusals(const List& list, const Select& select) {
  std::set<std::string> refusals;
  const kernels::RefusalFn note = [](void* context, const char* kernel, const char* reason) {
    static_cast<std::set<std::string>*>(context)->insert(std::string(kernel) + ": " + reason);
  };
  const auto* const chosen = select(note, &refusals);
  CHECK(kernels::RefuseCpu(*chosen) == nullptr);
  for (int64_t i = 0; list.begin[i] != chosen; ++i) {
    const char* const reason = kernels::RefuseCpu(*list.begin[i]);
    if (reason == nullptr || !kernels::IsaSupported(list.begin[i]->isa)) continue;
    CHECK(refusals.count(std::string(list.begin[i]->name) + ": " + reason) == 1);
    CHECK(chosen->isa == list.begin[i]->isa);
  }
}

}  // namespace bnn::test
