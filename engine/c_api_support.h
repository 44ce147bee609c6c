// What every function of the C interface does: turns failures into codes and messages, and reads and writes structs of
// callers that were compiled against another version.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "bnn/bnn.h"
#include "bnn/status.h"

namespace bnn::engine {

inline bnn_status Report(const Status& status, bnn_error* error) {
  const auto code = static_cast<bnn_status>(status.code());
  if (!status.ok() && error != nullptr) {
    error->status = code;
    const size_t length = std::min(status.message().size(), sizeof(error->message) - 1);
    std::memcpy(error->message, status.message().data(), length);
    error->message[length] = '\0';
  }
  return code;
}

// Runs `fn`, which returns a Status, and turns exceptions into one.
template <typename Fn>
bnn_status Guarded(bnn_error* error, const Fn& fn) {
  try {
    return Report(fn(), error);
  } catch (const std::bad_alloc&) {
    return Report(OutOfMemory("out of memory"), error);
  } catch (const std::system_error& e) {  // std::thread
    return Report(OutOfMemory(std::string("the system has no more threads: ") + e.what()), error);
  } catch (const std::exception& e) {
    return Report(InternalError(e.what()), error);
  } catch (...) {
    return Report(InternalError("unknown exception"), error);
  }
}

// The caller's struct as this library knows it: fields that an older caller does not have keep their defaults.
template <typename T>
Status ReadStruct(const T* from, const char* name, T* to) {
  if (from == nullptr) return OkStatus();
  if (from->struct_size < sizeof(from->struct_size)) {
    return InvalidArgument(std::string(name) + ".struct_size is not set: use the BNN_..._INIT macro");
  }
  const size_t own_size = to->struct_size;
  std::memcpy(to, from, std::min(from->struct_size, own_size));
  to->struct_size = own_size;
  return OkStatus();
}

// Writes as much as the caller's version of the struct holds.
template <typename T>
Status WriteStruct(const T& from, const char* name, T* to) {
  if (to == nullptr) return InvalidArgument(std::string(name) + " is NULL");
  if (to->struct_size < sizeof(to->struct_size)) {
    return InvalidArgument(std::string(name) + ".struct_size is not set: use the BNN_..._INIT macro");
  }
  const size_t caller_size = to->struct_size;
  std::memcpy(to, &from, std::min(caller_size, sizeof(T)));
  to->struct_size = caller_size;
  return OkStatus();
}

}  // namespace bnn::engine
