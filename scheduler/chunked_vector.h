// A vector that grows by one chunk: no element moves, no moment holds twice the memory, and it gives memory back.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace remitod::scheduler {

/// `chunk_size` elements to a chunk, a power of two. Elements are left as they were made (value-initialised).
template <typename T, std::size_t chunk_size>
class ChunkedVector {
  static_assert((chunk_size & (chunk_size - 1)) == 0);

 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return chunks_[i / chunk_size][i % chunk_size]; }
  const T& operator[](std::size_t i) const { return chunks_[i / chunk_size][i % chunk_size]; }

  void push_back(const T& value) {
    if (size_ == chunks_.size() * chunk_size) chunks_.push_back(std::make_unique<T[]>(chunk_size));
    ++size_;
    (*this)[size_ - 1] = value;
  }

  /// Keeps one chunk in hand, so that a size that swings about a chunk's edge allocates nothing.
  void pop_back() {
    --size_;
    if (chunks_.size() * chunk_size >= size_ + 2 * chunk_size) chunks_.pop_back();
  }

  std::size_t memory_bytes() const {
    return chunks_.size() * chunk_size * sizeof(T) + chunks_.capacity() * sizeof(std::unique_ptr<T[]>);
  }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace remitod::scheduler
