/* A plugin of qemu: counts the instructions that a program executes, and prints "instructions N" when it ends.
 *
 *   cc -shared -fPIC bench/qemu_count.c -o qemu_count.so
 *   qemu-aarch64 -plugin ./qemu_count.so -d plugin PROGRAM
 *
 * Debian ships qemu without the header of its plugin interface, so what is needed of that stands here: version 1, of
 * qemu 4.2 to 8.2. Each block of translated code adds its length to a counter when it begins; a block that is left in
 * the middle, by a signal, counts in full. Counts of several threads that run at once may lose some. */
#include <stdint.h>
#include <stdio.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*on_block)(qemu_plugin_id_t, struct qemu_plugin_tb*));
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb* block, enum qemu_plugin_op op, void* counter,
                                              uint64_t amount);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*on_exit)(qemu_plugin_id_t, void*), void* context);
void qemu_plugin_outs(const char* text);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv);

static uint64_t instructions;

static void CountBlock(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &instructions,
                                           qemu_plugin_tb_n_insns(block));
}

static void Print(qemu_plugin_id_t id, void* context) {
  char text[64];
  (void)id;
  (void)context;
  snprintf(text, sizeof(text), "instructions %llu\n", (unsigned long long)instructions);
  qemu_plugin_outs(text);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
  (void)info;
  (void)argc;
  (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, CountBlock);
  qemu_plugin_register_atexit_cb(id, Print, NULL);
  return 0;
}
