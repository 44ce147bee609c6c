// How a choice among kernels tells why it passed over a better one.
#pragma once

namespace bnn::kernels {

// Called for each better kernel that was passed over, with the reason (static strings). May be nullptr.
using RefusalFn = void (*)(void* context, const char* kernel, const char* reason);

}  // namespace bnn::kernels
