// The example of the README, compiled and run by the tests.
#include <bnn/bnn.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  auto model = bnn::Model::Load(argc > 1 ? argv[1] : "models/fashion_mnist.bnn");
  if (!model.ok()) return std::fprintf(stderr, "%s\n", model.status().message().c_str()), 1;
  auto session = bnn::Session::Create(*model);
  if (!session.ok()) return std::fprintf(stderr, "%s\n", session.status().message().c_str()), 1;
  std::vector<float> image(model->inputs()[0].size()), scores(session->output_size(0));
  bnn::Status status = session->Run(image, scores);
  if (!status.ok()) return std::fprintf(stderr, "%s\n", status.message().c_str()), 1;
  std::printf("class %td\n", std::max_element(scores.begin(), scores.end()) - scores.begin());
}
