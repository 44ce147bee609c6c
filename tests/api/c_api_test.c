/* bnn.h from C: everything that the header promises a C program. Usage: c_api_test MODEL.bnn */
#include <bnn/bnn.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

static void CheckErrors(const char* path) {
  bnn_model* model = NULL;
  bnn_error error;
  bnn_model_options options = BNN_MODEL_OPTIONS_INIT;

  CHECK(bnn_model_load("/nonexistent/model.bnn", NULL, &model, &error) == BNN_IO_ERROR);
  CHECK(error.status == BNN_IO_ERROR);
  CHECK(strstr(error.message, "/nonexistent/model.bnn") != NULL);
  CHECK(model == NULL);
  CHECK(bnn_model_load(NULL, NULL, &model, NULL) == BNN_INVALID_ARGUMENT);
  CHECK(bnn_model_load_memory("not a model", 11, NULL, &model, &error) == BNN_INVALID_MODEL);

  options.max_isa = "mmx";
  CHECK(bnn_model_load(path, &options, &model, &error) == BNN_INVALID_ARGUMENT);
  CHECK(strstr(error.message, "'mmx'") != NULL);
  options.max_isa = NULL;
  options.batch = -1;
  CHECK(bnn_model_load(path, &options, &model, &error) == BNN_INVALID_ARGUMENT);
  options.batch = 0;
  options.struct_size = 0;
  CHECK(bnn_model_load(path, &options, &model, &error) == BNN_INVALID_ARGUMENT);
  CHECK(model == NULL);
  bnn_model_free(NULL);
  bnn_session_free(NULL);
}

static void CheckRun(const char* path, float* result) {
  bnn_model* model = NULL;
  bnn_session* session = NULL;
  bnn_error error = {BNN_OK, ""};
  bnn_tensor_info in = BNN_TENSOR_INFO_INIT;
  bnn_tensor_info out = BNN_TENSOR_INFO_INIT;
  bnn_step_info step = BNN_STEP_INFO_INIT;
  bnn_session_options options = BNN_SESSION_OPTIONS_INIT;
  bnn_buffer input, output;
  double seconds = -1;
  size_t i;

  CHECK(bnn_model_load(path, NULL, &model, &error) == BNN_OK);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error.message);
    return;
  }
  CHECK(bnn_model_num_inputs(model) == 1);
  CHECK(bnn_model_num_outputs(model) == 1);
  CHECK(bnn_model_input_info(model, 0, &in, &error) == BNN_OK);
  CHECK(bnn_model_output_info(model, 0, &out, &error) == BNN_OK);
  CHECK(bnn_model_output_info(model, 1, &out, &error) == BNN_INVALID_ARGUMENT);
  CHECK(in.rank >= 2 && in.dims[0] == 1);
  CHECK(strlen(in.name) > 0);

  options.profile = 1;
  CHECK(bnn_session_create(model, &options, &session, &error) == BNN_OK);
  input.bytes = in.bytes;
  input.data = malloc(in.bytes);
  output.bytes = out.bytes;
  output.data = malloc(out.bytes);
  for (i = 0; i < in.bytes / sizeof(float); ++i) ((float*)input.data)[i] = (float)(i % 7) / 7.0f;
  CHECK(bnn_session_run(session, &input, 1, &output, 1, &error) == BNN_OK);
  for (i = 0; i < out.bytes / sizeof(float); ++i) CHECK(isfinite(((float*)output.data)[i]));
  if (result != NULL) *result = ((float*)output.data)[0];

  CHECK(bnn_session_run(session, &input, 0, &output, 1, &error) == BNN_INVALID_ARGUMENT);
  input.bytes -= 4;
  CHECK(bnn_session_run(session, &input, 1, &output, 1, &error) == BNN_INVALID_ARGUMENT);
  CHECK(strstr(error.message, in.name) != NULL);
  input.bytes += 4;

  CHECK(bnn_model_num_steps(model) > 0);
  for (i = 0; i < bnn_model_num_steps(model); ++i) {
    CHECK(bnn_model_step_info(model, i, &step, &error) == BNN_OK);
    CHECK(step.op != NULL && step.kernel != NULL && step.shape != NULL && step.reason != NULL);
    CHECK(bnn_session_step_time(session, i, &seconds, &error) == BNN_OK);
    CHECK(seconds >= 0);
  }
  CHECK(bnn_session_step_time(session, i, &seconds, &error) == BNN_INVALID_ARGUMENT);

  bnn_model_free(model); /* before the session: allowed */
  CHECK(bnn_session_run(session, &input, 1, &output, 1, &error) == BNN_OK);
  bnn_session_free(session);
  free(input.data);
  free(output.data);
}

/* The limits of the processor, and of the steps of a model. */
static void CheckLimits(const char* path) {
  bnn_model* model = NULL;
  bnn_error error = {BNN_OK, ""};
  bnn_limits_options options = BNN_LIMITS_OPTIONS_INIT;
  bnn_limits limits = BNN_LIMITS_INIT;
  bnn_step_info step = BNN_STEP_INFO_INIT;
  bnn_step_limit limit = BNN_STEP_LIMIT_INIT;
  size_t i;

  options.seconds = 1e-5;
  options.max_bytes = 64 << 10;
  CHECK(bnn_measure_limits(&options, &limits, &error) == BNN_OK);
  CHECK(limits.struct_size == sizeof(bnn_limits));
  CHECK(limits.binary_macs > 0 && limits.float32_macs > 0 && limits.int8_macs > 0);
  CHECK(limits.binary_operations != NULL && strlen(limits.binary_operations) > 0);
  CHECK(limits.num_bandwidths == 3 && limits.bandwidths[2].bytes == 64 << 10);
  options.max_isa = "mmx";
  CHECK(bnn_measure_limits(&options, &limits, &error) == BNN_INVALID_ARGUMENT);
  CHECK(strstr(error.message, "'mmx'") != NULL);
  options.max_isa = NULL;
  options.threads = -1;
  CHECK(bnn_measure_limits(&options, &limits, &error) == BNN_INVALID_ARGUMENT);
  CHECK(bnn_measure_limits(NULL, NULL, &error) == BNN_INVALID_ARGUMENT);

  CHECK(bnn_model_load(path, NULL, &model, &error) == BNN_OK);
  for (i = 0; i < bnn_model_num_steps(model); ++i) {
    CHECK(bnn_model_step_info(model, i, &step, &error) == BNN_OK);
    CHECK(step.bytes_read > 0 && step.bytes_written > 0);
    CHECK((step.arithmetic == BNN_ARITHMETIC_NONE) == (step.macs == 0));
    CHECK((step.arithmetic == BNN_ARITHMETIC_BINARY) == (step.is_binary != 0));
    CHECK(bnn_find_step_limit(&limits, &step, &limit, &error) == BNN_OK);
    CHECK(limit.seconds > 0 && isfinite(limit.seconds));
    CHECK(limit.seconds >= limit.arithmetic_seconds && limit.seconds >= limit.data_seconds);
  }
  /* A caller that was compiled when steps had no bytes: nothing behind its struct is written. */
  step.struct_size = offsetof(bnn_step_info, bytes_read);
  step.bytes_read = -7;
  CHECK(bnn_model_step_info(model, 0, &step, &error) == BNN_OK);
  CHECK(step.bytes_read == -7);
  step.struct_size = sizeof(step);
  CHECK(bnn_find_step_limit(&limits, &step, &limit, &error) == BNN_INVALID_ARGUMENT);
  CHECK(bnn_find_step_limit(&limits, NULL, &limit, &error) == BNN_INVALID_ARGUMENT);
  bnn_model_free(model);
}

int main(int argc, char** argv) {
  float result = 0;
  if (argc != 2) return fprintf(stderr, "usage: c_api_test MODEL.bnn\n"), 2;
  CheckErrors(argv[1]);
  CheckRun(argv[1], &result);
  CheckLimits(argv[1]);
  CHECK(strcmp(bnn_version(), "") != 0);
  CHECK(strlen(bnn_cpu_isa()) > 0);
  if (failures == 0) printf("bnn %s on %s: all checks passed, first score %g\n", bnn_version(), bnn_cpu_isa(), result);
  return failures == 0 ? 0 : 1;
}
