#include <chrono>
#include <limits>
#include <utility>

#include "constellm/codec/coding.hpp"
#include "gil.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

/// 0 and None are the same, and None where they are read.
template <>
struct FromPython<codec::Bits> {
  static constexpr const char* annotation = "int | None";
  static codec::Bits get(py::handle value, const std::string& name) {
    return value.is_none() ? 0 : FromPython<std::int64_t>::get(value, name);
  }
};

}  // namespace constellm::bindings

namespace pybind11::detail {

template <>
struct type_caster<constellm::codec::Bits> {
  static constexpr auto name = const_name("int | None");
  static handle cast(constellm::codec::Bits bits, return_value_policy, handle) {
    return bits == 0 ? none().release() : int_(bits.count).release();
  }
};

}  // namespace pybind11::detail

namespace constellm::bindings {
namespace {

codec::ArrayView view_of(const py::array& array) {
  codec::ArrayView view;
  view.data = static_cast<const std::byte*>(array.data());
  view.shape.assign(array.shape(), array.shape() + array.ndim());
  view.strides_bytes.assign(array.strides(), array.strides() + array.ndim());
  return view;
}

codec::Dtype dtype_of(const py::array& x) {
  return x.itemsize() == 4 ? codec::Dtype::float32 : codec::Dtype::float16;
}

std::span<const std::uint8_t> bytes_of(const py::buffer_info& buffer) {
  return {static_cast<const std::uint8_t*>(buffer.ptr), static_cast<std::size_t>(buffer.size)};
}

// Whether a signal's Python handler has raised, Ctrl-C's for one. Asked for by the clock, not at every look
// of the codec, since a thread that holds the GIL may keep it for some milliseconds.
class SignalRaised {
 public:
  bool operator()() {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(20)) return false;
    last_ = now;
    const GilTaken gil;
    return PyErr_CheckSignals() != 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

// Calls `work(stop token)` without the GIL; raises what a signal's handler has raised.
template <class Work>
auto interruptible(Work work) {
  try {
    core::StopToken stop(std::numeric_limits<double>::infinity(), SignalRaised());
    const GilReleased no_gil;
    return work(stop);
  } catch (const core::Stopped&) {
    throw py::error_already_set();
  }
}

// Scratch of a call: the thread's, so that it is reused, or its own where a signal's handler calls the codec
// in the middle of another call. What a large array needed is given back.
class Lease {
 public:
  Lease() : nested_(std::exchange(busy(), true)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (nested_) return;
    busy() = false;
    constexpr std::size_t kMostHeld = std::size_t{64} << 20;
    if (shared().held_bytes() > kMostHeld) shared() = {};
  }

  codec::Workspace& get() { return nested_ ? own_ : shared(); }

 private:
  static bool& busy() {
    thread_local bool flag = false;
    return flag;
  }
  static codec::Workspace& shared() {
    thread_local codec::Workspace workspace;
    return workspace;
  }
  bool nested_;
  codec::Workspace own_;
};

// The Python layer has checked dtypes, alignment and byte order.
template <class Call>
auto with_arrays(const py::array& x, const std::optional<py::array>& mask, const codec::Scheme& scheme,
                 Call call) {
  const codec::ArrayView view = view_of(x);
  std::optional<codec::ArrayView> mask_view;
  if (mask) mask_view = view_of(*mask);
  const codec::Dtype dtype = dtype_of(x);
  return interruptible([&](core::StopToken& stop) {
    Lease workspace;
    return call(view, dtype, mask_view, scheme, stop, workspace.get());
  });
}

py::bytes encode(const py::array& x, const codec::Scheme& scheme, const std::optional<py::array>& mask) {
  const codec::Bytes message = with_arrays(x, mask, scheme, codec::encode);
  return {reinterpret_cast<const char*>(message.data()), message.size()};
}

py::dict entropy_bound(const py::array& x, const codec::Scheme& scheme,
                       const std::optional<py::array>& mask) {
  const codec::EntropyBound bound = with_arrays(x, mask, scheme, codec::entropy_bound);
  py::dict parts;
  parts["mask_bytes"] = bound.mask_bytes;
  parts["symbols_bytes"] = bound.symbols_bytes;
  parts["total_bytes"] = bound.mask_bytes + bound.symbols_bytes;
  return parts;
}

codec::Header read_header(const py::buffer_info& buffer) {
  return interruptible([&](core::StopToken& stop) { return codec::read_header(bytes_of(buffer), stop); });
}

py::array decode(const py::buffer& data, std::int64_t max_bytes) {
  const py::buffer_info buffer = data.request();
  const codec::Header header = read_header(buffer);
  if (header.raw_bytes() > max_bytes) {
    throw core::InvalidInput("max_bytes: the array takes " + std::to_string(header.raw_bytes()) +
                             " bytes, allowed are " + std::to_string(max_bytes));
  }
  py::array out(py::dtype(header.dtype == codec::Dtype::float32 ? "float32" : "float16"), header.shape);
  auto* to = static_cast<std::byte*>(out.mutable_data());
  interruptible([&](core::StopToken& stop) {
    Lease workspace;
    codec::decode(header, stop, workspace.get(), to);
  });
  return out;
}

py::dict inspect(const py::buffer& data) {
  const py::buffer_info buffer = data.request();
  const codec::Header header = read_header(buffer);
  const auto size = [](std::span<const std::uint8_t> part) { return static_cast<std::int64_t>(part.size()); };
  const std::int64_t parts = size(header.mask) + size(header.scales) + size(header.symbols);
  py::dict told;
  told["shape"] = py::tuple(py::cast(header.shape));
  told["dtype"] = header.dtype == codec::Dtype::float32 ? "float32" : "float16";
  told["scheme"] = header.scheme;
  told["raw_bytes"] = header.raw_bytes();
  told["total_bytes"] = header.message_bytes;
  told["header_bytes"] = header.message_bytes - parts;
  told["mask_bytes"] = size(header.mask);
  told["scales_bytes"] = size(header.scales);
  told["symbols_bytes"] = size(header.symbols);
  return told;
}

}  // namespace

void register_scheme(py::module_& m) {
  record<codec::Scheme>(m);
  m.def("encode", &encode, py::arg("x"), py::arg("scheme"), py::arg("mask"), "See `constellm.codec.encode`.");
  m.def("decode", &decode, py::arg("data"), py::arg("max_bytes"), "See `constellm.codec.decode`.");
  m.def("inspect", &inspect, py::arg("data"), "See `constellm.codec.inspect`.");
  m.def("entropy_bound", &entropy_bound, py::arg("x"), py::arg("scheme"), py::arg("mask"),
        "See `constellm.codec.entropy_bound_bytes`.");
}

}  // namespace constellm::bindings
