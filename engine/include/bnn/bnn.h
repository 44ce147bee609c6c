/* bnn: an inference engine for binary neural networks. The C interface: everything else is built on it.
 *
 * Handles are opaque. A bnn_model is immutable after loading and may be used by any number of threads at once. A
 * bnn_session holds the working memory of one run: use it from one thread at a time; make one for each thread. All
 * sessions of a model share its weights, also where they run it at other batch sizes or resolutions.
 *
 * Functions that can fail return a bnn_status and, when `error` is not NULL, describe the failure in *error, which the
 * caller owns. Nothing throws, prints, aborts or changes global state. Results are written only on success.
 *
 * Structs that the caller fills begin with struct_size = sizeof(the struct): set it with the BNN_..._INIT macros, so
 * that programs keep working when later versions append fields. The ABI only grows within one major version.
 */
#ifndef BNN_BNN_H_
#define BNN_BNN_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define BNN_API
#else
#define BNN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define BNN_VERSION_MAJOR 0
#define BNN_VERSION_MINOR 1
#define BNN_VERSION_PATCH 0

/* "0.1.0": of the library that runs, as opposed to the macros of the header that was compiled against. */
BNN_API const char* bnn_version(void);

typedef enum bnn_status {
  BNN_OK = 0,
  BNN_INVALID_ARGUMENT = 1, /* the caller passed something wrong */
  BNN_INVALID_MODEL = 2,    /* the model file is broken */
  BNN_UNSUPPORTED = 3,      /* sound, but beyond this library, its version or this CPU */
  BNN_IO_ERROR = 4,         /* the file could not be read */
  BNN_OUT_OF_MEMORY = 5,
  BNN_INTERNAL = 6 /* a defect of bnn */
} bnn_status;

/* Filled on failure: a zero-terminated sentence that names file, node and field, what was found and what was expected.
 */
typedef struct bnn_error {
  bnn_status status;
  char message[1020];
} bnn_error;

typedef struct bnn_model bnn_model;
typedef struct bnn_session bnn_session;

/* ---- Loading ---- */

typedef struct bnn_model_options {
  size_t struct_size;
  int64_t batch;       /* samples of one run; 0: what the source network fixed, or 1 where it left it open */
  int32_t threads;     /* threads of one run, 1 or more; 0 means 1. Each session starts threads - 1 of its own, which
                          sleep between runs, and runs on the calling thread and on them: sessions that run at once on
                          fewer cores than they have threads in sum wait for one another. */
  const char* max_isa; /* best instruction set that kernels may use: "reference", "avx2", "avx512", "avx512vpopcnt",
                          "neon", "neonsha3", "sve"; NULL: the environment's BNN_MAX_ISA, or what bnn_cpu_isa says.
                          One that this CPU lacks is an error. */
  const char* cpus;    /* where the threads that sessions start may run, as "4-7" or "0,2"; one that the loading thread
                          may not use is an error. NULL: where cores differ (big.LITTLE), the fastest ones of which there
                          are enough for `threads`; else anywhere. The thread that calls bnn_session_run is the host's
                          and stays where the host put it: see bnn_move_thread. */
} bnn_model_options;
#define BNN_MODEL_OPTIONS_INIT \
  { sizeof(bnn_model_options), 0, 0, NULL, NULL }

/* Reads a .bnn file, checks it and compiles it for this CPU: chooses kernels, packs weights, plans memory. `options`
 * may be NULL. On success *model is the caller's, to be freed by bnn_model_free. */
BNN_API bnn_status bnn_model_load(const char* path, const bnn_model_options* options, bnn_model** model,
                                  bnn_error* error);

/* The same from memory, which is not needed any more after the call. */
BNN_API bnn_status bnn_model_load_memory(const void* data, size_t size, const bnn_model_options* options,
                                         bnn_model** model, bnn_error* error);

/* Sessions keep what they need alive: freeing the model before them is allowed. NULL is ignored. */
BNN_API void bnn_model_free(bnn_model* model);

/* ---- What a model takes and gives ---- */

#define BNN_MAX_RANK 8

typedef enum bnn_layout {
  BNN_LAYOUT_NONE = 0, /* not an image */
  BNN_LAYOUT_NCHW = 1,
  BNN_LAYOUT_NHWC = 2
} bnn_layout;

/* Inputs and outputs are dense row-major float32 tensors with the names, order and layout of the source network. */
typedef struct bnn_tensor_info {
  size_t struct_size;
  const char* name; /* lives as long as the model */
  int32_t rank;
  int64_t dims[BNN_MAX_RANK]; /* dims[0] is the batch */
  size_t bytes;               /* of the whole tensor, batch included */
  bnn_layout layout;          /* of inputs that are images */
  /* How an 8-bit image becomes this input: x[c] = (pixel[c] - mean[c]) * scale[c]. 0 values: mean 0, scale 1. 1 value
   * serves all channels. */
  size_t num_mean, num_scale;
  const float* mean; /* live as long as the model */
  const float* scale;
} bnn_tensor_info;
#define BNN_TENSOR_INFO_INIT \
  { sizeof(bnn_tensor_info), NULL, 0, {0}, 0, BNN_LAYOUT_NONE, 0, 0, NULL, NULL }

BNN_API size_t bnn_model_num_inputs(const bnn_model* model);
BNN_API size_t bnn_model_num_outputs(const bnn_model* model);
BNN_API bnn_status bnn_model_input_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error);
BNN_API bnn_status bnn_model_output_info(const bnn_model* model, size_t index, bnn_tensor_info* info, bnn_error* error);

/* ---- Running ---- */

/* Dims of a tensor, dims[0] is the batch. */
typedef struct bnn_shape {
  int32_t rank;
  int64_t dims[BNN_MAX_RANK];
} bnn_shape;

typedef struct bnn_session_options {
  size_t struct_size;
  int32_t profile;               /* not 0: measure each step of each run, for bnn_session_step_time */
  const bnn_shape* input_shapes; /* as for bnn_session_resize; NULL: those of the model */
  size_t num_input_shapes;
} bnn_session_options;
#define BNN_SESSION_OPTIONS_INIT \
  { sizeof(bnn_session_options), 0, NULL, 0 }

/* Allocates all that runs need, and starts the model's threads but one; runs allocate nothing. `options` may be NULL.
 */
BNN_API bnn_status bnn_session_create(const bnn_model* model, const bnn_session_options* options, bnn_session** session,
                                      bnn_error* error);
BNN_API void bnn_session_free(bnn_session* session);

/* Lets the session run inputs of other sizes: another batch (the same for all inputs), another resolution, or both.
 * `shapes`: one for each input, in the model's order. Compiles the model for them, unless another of its sessions runs
 * these sizes already; weights are shared. BNN_INVALID_ARGUMENT names the layer that cannot follow, for instance a
 * fully connected one behind a map that has grown. On failure the session stays as it was. */
BNN_API bnn_status bnn_session_resize(bnn_session* session, const bnn_shape* shapes, size_t num_shapes,
                                      bnn_error* error);

/* As bnn_model_..., for the sizes that the session runs; their number is the model's. What info points to lives until
 * the session is resized or freed. */
BNN_API bnn_status bnn_session_input_info(const bnn_session* session, size_t index, bnn_tensor_info* info,
                                          bnn_error* error);
BNN_API bnn_status bnn_session_output_info(const bnn_session* session, size_t index, bnn_tensor_info* info,
                                           bnn_error* error);

/* The caller's memory for one tensor. `bytes` must be exactly bnn_tensor_info.bytes (of the session, where it was
 * resized); alignment is that of float. */
typedef struct bnn_buffer {
  void* data;
  size_t bytes;
} bnn_buffer;

/* Runs the network once: reads the inputs, writes the outputs, both in the model's order. Outputs may not overlap
 * inputs. Equal inputs give equal outputs, whatever the number of threads. */
BNN_API bnn_status bnn_session_run(bnn_session* session, const bnn_buffer* inputs, size_t num_inputs,
                                   const bnn_buffer* outputs, size_t num_outputs, bnn_error* error);

/* Lets the calling thread run on these CPUs only, written as in bnn_model_options. NULL: where cores differ, the
 * fastest ones. For hosts that keep a thread for runs, which otherwise may begin on a slow core and keep the others
 * waiting. */
BNN_API bnn_status bnn_move_thread(const char* cpus, bnn_error* error);

/* Bytes that the session allocated for tensors between layers and scratch. */
BNN_API size_t bnn_session_memory(const bnn_session* session);

/* Where memory goes, in bytes. */
typedef struct bnn_memory_info {
  size_t struct_size;
  size_t arena_bytes;  /* what bnn_session_memory says: tensors share one block, by their lifetimes */
  size_t live_bytes;   /* the most that tensors need at once; no arena can be smaller */
  size_t weight_bytes; /* of the layers' weights, which all sessions of the model share */
} bnn_memory_info;
#define BNN_MEMORY_INFO_INIT \
  { sizeof(bnn_memory_info), 0, 0, 0 }

BNN_API bnn_status bnn_session_memory_info(const bnn_session* session, bnn_memory_info* info, bnn_error* error);

/* ---- Seeing what runs ---- */

/* The arithmetic of a step's multiply-adds. */
typedef enum bnn_arithmetic {
  BNN_ARITHMETIC_NONE = 0,    /* the step only moves or maps data */
  BNN_ARITHMETIC_BINARY = 1,  /* bits: XNOR and popcount */
  BNN_ARITHMETIC_FLOAT32 = 2, /* fused multiply-adds */
  BNN_ARITHMETIC_INT8 = 3     /* products of 8-bit integers in 32-bit sums */
} bnn_arithmetic;

/* One step of the compiled plan. Strings live as long as the model. */
typedef struct bnn_step_info {
  size_t struct_size;
  const char* name;     /* of the source network's layer */
  const char* op;       /* "bconv2d", "conv2d", "affine", ... with what was fused into it: "bconv2d+affine+binarize" */
  const char* kernel;   /* "bconv2d_avx512vpopcnt", "onednn jit:avx512_core", ... */
  const char* shape;    /* "28x28x128 -> 28x28x128, 3x3 s1 p1" */
  const char* reason;   /* why this kernel and not a better one, and what was fused or placed how; may be "" */
  int64_t macs;         /* multiply-adds of one run (whole batch); 0 where the step only moves or maps data */
  int32_t is_binary;    /* not 0: macs are binary */
  int64_t weight_bytes; /* as held in memory */
  /* What a run has to move at least: inputs (each once, residuals too) and weights, and outputs; whole batch. */
  int64_t bytes_read, bytes_written;
  int32_t arithmetic; /* a bnn_arithmetic */
} bnn_step_info;
#define BNN_STEP_INFO_INIT \
  { sizeof(bnn_step_info), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, BNN_ARITHMETIC_NONE }

/* The plan for the sizes of the model. */
BNN_API size_t bnn_model_num_steps(const bnn_model* model);
BNN_API bnn_status bnn_model_step_info(const bnn_model* model, size_t index, bnn_step_info* info, bnn_error* error);

/* The plan that the session runs: that of the model unless it was resized. Strings live until it is resized or freed.
 */
BNN_API size_t bnn_session_num_steps(const bnn_session* session);
BNN_API bnn_status bnn_session_step_info(const bnn_session* session, size_t index, bnn_step_info* info,
                                         bnn_error* error);

/* Seconds that step `index` took in the last run of a session that profiles. */
BNN_API bnn_status bnn_session_step_time(const bnn_session* session, size_t index, double* seconds, bnn_error* error);

/* ---- What the processor could do ---- */

typedef struct bnn_limits_options {
  size_t struct_size;
  int32_t threads;     /* that work at once: those of the model; 0 means 1 */
  const char* max_isa; /* as in bnn_model_options, for binary arithmetic and memory. Float and int8 are always measured
                          with the best that the CPU has: oneDNN, which computes those layers, asks only the CPU */
  double seconds;      /* that each figure takes, roughly; 0 means 0.0005. A longer time is not much more exact */
  int64_t max_bytes;   /* the largest working set whose bandwidth is measured; 0 means 16 MiB */
} bnn_limits_options;
#define BNN_LIMITS_OPTIONS_INIT \
  { sizeof(bnn_limits_options), 0, NULL, 0, 0 }

/* Bytes a second that all threads together load, or store, over and over within `bytes` bytes. */
typedef struct bnn_bandwidth {
  int64_t bytes; /* of all threads together: the working set */
  double read, write;
} bnn_bandwidth;

#define BNN_MAX_BANDWIDTHS 16

/* What this processor can do at most: the best known inner loops, run on registers alone, and plain loads and stores.
 * Multiply-adds and bytes a second of all threads together. */
typedef struct bnn_limits {
  size_t struct_size;
  double binary_macs, float32_macs, int8_macs;
  /* The instructions of those loops, for people: static strings. */
  const char *binary_operations, *float32_operations, *int8_operations;
  int32_t num_bandwidths;
  bnn_bandwidth bandwidths[BNN_MAX_BANDWIDTHS]; /* by working set, each twice the one before, from 16 KiB on */
  double handover_seconds; /* to give a step to all threads and to wait for them; 0 for one thread */
} bnn_limits;
#define BNN_LIMITS_INIT \
  { sizeof(bnn_limits), 0, 0, 0, NULL, NULL, NULL, 0, {{0, 0, 0}}, 0 }

/* Measures them; some 20 ms with the defaults. The clock of a processor changes with its load, and other programs take
 * their part of caches and memory: so measure close to what is to be compared, several times, and take medians. Uses
 * max_bytes of memory while it runs. `options` may be NULL. */
BNN_API bnn_status bnn_measure_limits(const bnn_limits_options* options, bnn_limits* limits, bnn_error* error);

/* The least seconds that a step can take on a processor with such limits. */
typedef struct bnn_step_limit {
  size_t struct_size;
  double seconds;            /* the larger one of the next two */
  double arithmetic_seconds; /* its multiply-adds at the full rate of their kind */
  double data_seconds;       /* reading or writing its bytes, whatever takes longer, where all of them fit together */
} bnn_step_limit;
#define BNN_STEP_LIMIT_INIT \
  { sizeof(bnn_step_limit), 0, 0, 0 }

/* The roofline of one step: limit->seconds / bnn_session_step_time is the share of the limit that it reaches. The
 * limits must have been measured with the threads of the model. A network takes no less than the sum over its steps. */
BNN_API bnn_status bnn_find_step_limit(const bnn_limits* limits, const bnn_step_info* step, bnn_step_limit* limit,
                                       bnn_error* error);

/* The name of the best instruction set that this CPU and operating system have: "avx512vpopcnt", ... "neonsha3" only
 * where its kernels are faster than those of "neon". */
BNN_API const char* bnn_cpu_isa(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BNN_BNN_H_ */
