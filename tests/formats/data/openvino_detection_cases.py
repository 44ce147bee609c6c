"""Cases of make_openvino_fixtures.py: the head of SSD."""
import numpy as np
from openvino import opset1, opset8, opset13

from make_cases import reals, rng

BOX = dict(min_size=[7.0], max_size=[15.0], aspect_ratio=[2.0], flip=True, clip=False, step=0.0, offset=0.5,
           variance=[.1, .1, .2, .2], scale_all_sizes=True, fixed_ratio=[], fixed_size=[], density=[])
CLUSTERED = dict(width=[7.0, 12.5], height=[9.0, 3.25], clip=False,
                 offset=0.5, variance=[.1, .1, .2, .2])
DETECT = dict(background_label_id=0, top_k=-1, variance_encoded_in_target=False, keep_top_k=[8],
              code_type="caffe.PriorBoxParameter.CENTER_SIZE", share_location=True, nms_threshold=.45,
              confidence_threshold=.3, clip_after_nms=False, clip_before_nms=False, decrease_label_id=False,
              normalized=True, input_height=1, input_width=1, objectness_score=0.0)


def spatial(x):
    """Height and width of a map, as frameworks compute them."""
    shape = opset13.shape_of(x)
    ints = lambda *values: opset13.constant(np.array(values, np.int64))
    return opset13.slice(shape, ints(2), ints(4), ints(1))


def priors(case, _):
    x = reals("prior.x", 1, 1, 2, 3)
    image = opset13.constant(np.array([33, 47], np.int64))

    def boxes(name, opset, function, base, **changes):
        # A constant is no output, so that what the interpreter makes is added to an input of zeros.
        def build(x):
            made = getattr(opset, function)(spatial(x), image, {**base, **changes})
            zero = opset13.multiply(opset13.reduce_sum(x, opset13.constant(np.array([1, 2, 3], np.int64)), True),
                                    opset13.constant(np.zeros((1, 1, 1, 1), np.float32)))
            flat = opset13.reshape(made, opset13.constant(np.array([1, 1, 2, -1], np.int64)), False)
            return opset13.add(zero, flat)
        case(f"{function}.{name}", build, {"x": x}, tolerance=1e-6)

    boxes("plain", opset1, "prior_box", BOX)
    boxes("step", opset1, "prior_box", BOX, step=13.0, offset=0.25, clip=True)
    boxes("ratios", opset1, "prior_box", BOX, aspect_ratio=[1.0, 2.0, 3.0, 2.0], min_size=[4.0, 9.0], max_size=[8.0, 20.0])
    boxes("no_flip", opset1, "prior_box", BOX, flip=False, max_size=[], aspect_ratio=[3.0], variance=[0.3])
    boxes("no_variance", opset1, "prior_box", BOX, variance=[])
    boxes("mxnet", opset1, "prior_box", BOX, scale_all_sizes=False, min_size=[0.2, 0.3], max_size=[], step=0.5)
    boxes("mxnet_step", opset1, "prior_box", BOX, scale_all_sizes=False, min_size=[0.2, 0.3], max_size=[], step=0.25)
    boxes("fixed", opset1, "prior_box", BOX, min_size=[], max_size=[], fixed_size=[9.0, 11.5], density=[2.0, 3.0])
    boxes("fixed_ratio", opset1, "prior_box", BOX, min_size=[], max_size=[], aspect_ratio=[], fixed_size=[9.0],
          fixed_ratio=[2.0], density=[2.0])
    boxes("order", opset8, "prior_box", BOX, min_max_aspect_ratios_order=False)
    boxes("opset8", opset8, "prior_box", BOX, min_max_aspect_ratios_order=True, clip=True)
    boxes("plain", opset1, "prior_box_clustered", CLUSTERED)
    boxes("step", opset1, "prior_box_clustered", CLUSTERED, step=16.0, clip=True)
    boxes("steps", opset1, "prior_box_clustered", CLUSTERED, step_w=15.0, step_h=17.0, offset=0.125,
          variance=[0.1])


def detections(case, constant):
    count, classes = 20, 3

    def detect(name, opset=opset8, **changes):
        attributes = {**DETECT, **changes}
        share, encoded, normalized = (attributes[k] for k in
                                      ["share_location", "variance_encoded_in_target", "normalized"])
        locations = reals(f"detect.{name}.l", 1, count * (1 if share else classes) * 4) / 2
        scores = rng(f"detect.{name}.s").permutation(count * classes).astype(np.float32)[None] / (count * classes)
        corners = rng(f"detect.{name}.p").random((count, 2)) * .8
        boxes = np.concatenate([corners, corners + rng(f"detect.{name}.w").random((count, 2)) * .3 + .02], 1)
        if not normalized:
            boxes = np.concatenate([np.zeros((count, 1)), boxes * [64, 48, 64, 48]], 1)
        rows = [boxes.reshape(-1)]
        if not encoded:
            rows.append(np.resize([.1, .15, .2, .25], count * 4))
            rows[1] = np.concatenate([rows[1], np.zeros(len(rows[0]) - len(rows[1]))])
        p = constant(np.stack(rows)[None])
        if opset is opset1:
            attributes["num_classes"] = classes
        case(f"DetectionOutput.{name}", lambda x, y: opset.detection_output(x, y, p, attributes),
             {"x": locations, "y": scores}, tolerance=1e-5)

    detect("plain")
    detect("opset1", opset1)
    detect("corner", code_type="caffe.PriorBoxParameter.CORNER")
    detect("all", keep_top_k=[-1])
    detect("top_k", keep_top_k=[-1], top_k=5)
    detect("keep", keep_top_k=[3], top_k=9)
    detect("space", keep_top_k=[100], confidence_threshold=0.8)
    detect("none", confidence_threshold=1.5)
    detect("encoded", variance_encoded_in_target=True)
    detect("encoded_corner", variance_encoded_in_target=True, code_type="caffe.PriorBoxParameter.CORNER")
    detect("locations", share_location=False)
    detect("clip_before", clip_before_nms=True)
    detect("clip_after", clip_after_nms=True)
    detect("pixels", normalized=False, input_height=48, input_width=64)
    detect("background", background_label_id=2, keep_top_k=[50])
    detect("no_background", background_label_id=-1, keep_top_k=[60])
    detect("decrease", decrease_label_id=True, keep_top_k=[50])
    detect("decrease_few", decrease_label_id=True, keep_top_k=[4], top_k=12)
    detect("decrease_locations", decrease_label_id=True, keep_top_k=[50], share_location=False)
    detect("strict", nms_threshold=0.05, keep_top_k=[50])


def networks(case, constant):
    """SSD in small: two maps, each with convolutions for boxes and scores, and with priors."""
    classes = 4

    def head(x, name, channels, size):
        weights = lambda what, out: constant(reals(f"ssd.{name}.{what}", out, channels, 3, 3) / 24)
        same = ([1, 1], [1, 1], [1, 1], [1, 1])
        order = opset13.constant(np.array([0, 2, 3, 1], np.int64))
        flat = lambda y: opset13.reshape(opset13.transpose(y, order), opset13.constant(np.array([0, -1], np.int64)), True)
        made = {k: flat(opset13.convolution(x, weights(k, 4 * n), *same)) for k, n in [("boxes", 4), ("scores", classes)]}
        return made, size

    def build(x):
        first = opset13.relu(opset13.convolution(x, constant(reals("ssd.1", 8, 3, 3, 3) / 3), [4, 4], [1, 1], [1, 1], [1, 1]))
        second = opset13.relu(opset13.convolution(first, constant(reals("ssd.2", 8, 8, 3, 3) / 5), [2, 2], [1, 1], [1, 1], [1, 1]))
        parts = [head(first, "first", 8, 12.0), head(second, "second", 8, 24.0)]
        zero = opset13.constant(np.array([0], np.int64))
        made = []
        for map_, (_, size) in zip([first, second], parts):
            attributes = {**BOX, "min_size": [size], "max_size": [size * 1.5]}
            made.append(opset13.unsqueeze(opset8.prior_box(spatial(map_), spatial(x), attributes), zero))
        boxes, scores = (opset13.concat([p[k] for p, _ in parts], 1) for k in ["boxes", "scores"])
        shaped = opset13.reshape(scores, opset13.constant(np.array([0, -1, classes], np.int64)), True)
        likely = opset13.reshape(opset13.softmax(shaped, 2), opset13.constant(np.array([0, -1], np.int64)), True)
        return opset8.detection_output(boxes, likely, opset13.concat(made, 2), {**DETECT, "keep_top_k": [20], "confidence_threshold": 0.27})

    case("SSD", build, {"x": reals("ssd.x", 1, 3, 32, 48)}, tolerance=1e-4)
