#include "server/flow/stable_hash.h"

#include <xxhash.h>

#include <cmath>
#include <vector>

#include "server/flow/call.h"

namespace machida::flow {
namespace {

// What keeps values of different kinds apart.
enum class Kind : std::uint64_t {
  kNone,
  kNumber,
  kText,
  kBytes,
  kSequence,
  kSet,
  kMapping,
  kName,
  kObject,
};

constexpr int kDepthMax = 64;

std::uint64_t hash_bytes(Kind kind, const void* bytes, std::size_t size) {
  return XXH3_64bits_withSeed(bytes, size, static_cast<std::uint64_t>(kind));
}

std::uint64_t hash_number(Kind kind, std::uint64_t number) {
  return hash_bytes(kind, &number, sizeof number);
}

class Hasher {
 public:
  explicit Hasher(const embed::Gil& gil) : gil_(gil) {}

  // False: the exception is set.
  bool hash(PyObject* value, std::uint64_t& into) {
    if (++depth_ > kDepthMax) {
      PyErr_SetString(PyExc_RecursionError, "a partition key is nested too deeply");
      return false;
    }
    const bool done = hash_here(value, into);
    --depth_;
    return done;
  }

 private:
  bool hash_here(PyObject* value, std::uint64_t& into) {
    if (PyUnicode_Check(value)) return text(Kind::kText, value, into);
    if (PyLong_Check(value) || PyFloat_Check(value) || PyComplex_Check(value))
      return number(value, into);
    if (PyBytes_Check(value)) {
      into = hash_bytes(Kind::kBytes, PyBytes_AS_STRING(value),
                        static_cast<std::size_t>(PyBytes_GET_SIZE(value)));
      return true;
    }
    if (value == Py_None) {
      into = hash_number(Kind::kNone, 0);
      return true;
    }
    if (PyTuple_Check(value) || PyList_Check(value)) return sequence(value, into);
    if (PyAnySet_Check(value)) return set(value, into);
    if (PyDict_Check(value)) return mapping(value, into);
    if (PyType_Check(value) || PyFunction_Check(value) || PyCFunction_Check(value))
      return name(value, into);
    return object(value, into);
  }

  bool text(Kind kind, PyObject* value, std::uint64_t& into) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(value, &size);
    if (utf8) {
      into = hash_bytes(kind, utf8, static_cast<std::size_t>(size));
      return true;
    }
    PyErr_Clear();  // lone surrogates
    PyObject* bytes = PyUnicode_AsEncodedString(value, "utf-8", "surrogatepass");
    if (!bytes) return false;
    const Held owned(gil_, bytes);
    into = hash_bytes(kind, PyBytes_AS_STRING(bytes),
                      static_cast<std::size_t>(PyBytes_GET_SIZE(bytes)));
    return true;
  }

  bool number(PyObject* value, std::uint64_t& into) {
    if (PyFloat_Check(value) && std::isnan(PyFloat_AS_DOUBLE(value))) {
      into = hash_number(Kind::kNumber, 0);  // by identity in Python
      return true;
    }
    const Py_hash_t hash = PyObject_Hash(value);
    if (hash == -1 && PyErr_Occurred()) return false;
    into = hash_number(Kind::kNumber, static_cast<std::uint64_t>(hash));
    return true;
  }

  bool sequence(PyObject* value, std::uint64_t& into) {
    std::vector<std::uint64_t> parts(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(value)));
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!hash(PySequence_Fast_GET_ITEM(value, static_cast<Py_ssize_t>(i)), parts[i]))
        return false;
    into = hash_bytes(Kind::kSequence, parts.data(), parts.size() * sizeof parts[0]);
    return true;
  }

  // The order of a set's elements means nothing.
  bool set(PyObject* value, std::uint64_t& into) {
    PyObject* iterator = PyObject_GetIter(value);
    if (!iterator) return false;
    const Held owned(gil_, iterator);
    std::uint64_t sum = 0;
    while (PyObject* item = PyIter_Next(iterator)) {
      const Held owned_item(gil_, item);
      std::uint64_t part = 0;
      if (!hash(item, part)) return false;
      sum += part;
    }
    into = hash_number(Kind::kSet, sum);
    return !PyErr_Occurred();
  }

  bool mapping(PyObject* value, std::uint64_t& into) {
    PyObject *key = nullptr, *item = nullptr;
    Py_ssize_t at = 0;
    std::uint64_t sum = 0;
    while (PyDict_Next(value, &at, &key, &item)) {
      std::uint64_t parts[2];
      if (!hash(key, parts[0]) || !hash(item, parts[1])) return false;
      sum += hash_bytes(Kind::kSequence, parts, sizeof parts);
    }
    into = hash_number(Kind::kMapping, sum);
    return true;
  }

  bool name(PyObject* value, std::uint64_t& into) {
    PyObject* qualified = PyObject_GetAttrString(value, "__qualname__");
    if (!qualified) return false;
    const Held owned(gil_, qualified);
    if (PyUnicode_Check(qualified)) return text(Kind::kName, qualified, into);
    PyErr_SetString(PyExc_TypeError, "a part of a partition key has no name");
    return false;
  }

  // Decimal, Fraction and the like are equal to an int or float of the same value.
  bool is_other_number(PyObject* value, bool& is) {
    PyObject* numbers = PyImport_ImportModule("numbers");
    if (!numbers) return false;
    const Held owned(gil_, numbers);
    PyObject* base = PyObject_GetAttrString(numbers, "Number");
    if (!base) return false;
    const Held owned_base(gil_, base);
    const int answer = PyObject_IsInstance(value, base);
    is = answer == 1;
    return answer >= 0;
  }

  bool object(PyObject* value, std::uint64_t& into) {
    bool is_number = false;
    if (!is_other_number(value, is_number)) return false;
    if (is_number) return number(value, into);
    PyObject* reduced = PyObject_CallMethod(value, "__reduce_ex__", "i", 2);
    if (!reduced) return false;
    const Held owned(gil_, reduced);
    std::uint64_t part = 0;
    if (PyUnicode_Check(reduced) ? !text(Kind::kName, reduced, part) : !hash(reduced, part))
      return false;
    into = hash_number(Kind::kObject, part);
    return true;
  }

  const embed::Gil& gil_;
  int depth_ = 0;
};

}  // namespace

std::optional<std::uint64_t> stable_hash(const embed::Gil& gil, PyObject* key) {
  std::uint64_t hash = 0;
  if (!Hasher(gil).hash(key, hash)) return std::nullopt;
  return hash;
}

std::uint64_t stable_hash_of_text(std::string_view utf8) {
  return hash_bytes(Kind::kText, utf8.data(), utf8.size());
}

}  // namespace machida::flow
