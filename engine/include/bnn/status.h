// Status and Result<T>: how every fallible function of bnn reports what went wrong. No exception crosses a public
// boundary; a message always names the file, node and field concerned, what was found and what was expected.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace bnn {

// The numbers are those of `bnn_status` in bnn.h and never change.
enum class StatusCode : int {
  kOk = 0,
  kInvalidArgument = 1,  // the caller passed something wrong
  kInvalidModel = 2,     // a model or source file is broken
  kUnsupported = 3,      // the file is sound, but asks for something that bnn does not do
  kIoError = 4,          // a file could not be read or written
  kOutOfMemory = 5,
  kInternal = 6,  // a defect of bnn
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status OkStatus() { return {}; }
inline Status InvalidArgument(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }
inline Status InvalidModel(std::string message) { return {StatusCode::kInvalidModel, std::move(message)}; }
inline Status Unsupported(std::string message) { return {StatusCode::kUnsupported, std::move(message)}; }
inline Status IoError(std::string message) { return {StatusCode::kIoError, std::move(message)}; }
inline Status OutOfMemory(std::string message) { return {StatusCode::kOutOfMemory, std::move(message)}; }
inline Status InternalError(std::string message) { return {StatusCode::kInternal, std::move(message)}; }

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                                  // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // Only when ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace bnn

// Returns the Status of `expression` from the enclosing function unless it is OK.
#define BNN_RETURN_IF_ERROR(expression)                                \
  do {                                                                 \
    if (::bnn::Status bnn_status_ = (expression); !bnn_status_.ok()) { \
      return bnn_status_;                                              \
    }                                                                  \
  } while (false)

#define BNN_CONCAT_INNER(a, b) a##b
#define BNN_CONCAT(a, b) BNN_CONCAT_INNER(a, b)

// BNN_ASSIGN_OR_RETURN(auto x, F()): x = *F(), or returns F's Status from the enclosing function.
#define BNN_ASSIGN_OR_RETURN(declaration, expression)    \
  auto BNN_CONCAT(bnn_result_, __LINE__) = (expression); \
  if (!BNN_CONCAT(bnn_result_, __LINE__).ok()) {         \
    return BNN_CONCAT(bnn_result_, __LINE__).status();   \
  }                                                      \
  declaration = *std::move(BNN_CONCAT(bnn_result_, __LINE__))
