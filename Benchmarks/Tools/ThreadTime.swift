import Foundation

/// The processor time of the calling thread, as the kernel counts it.
///
/// From `/proc` and not by `clock_gettime`: beside Foundation, the compiler sometimes takes `timespec` for a type of
/// CoreFoundation, which nothing can import.
enum ThreadTime {
    /// What it has used in seconds, as of the last tick: up to four milliseconds too little.
    static var seconds: Double {
        // The first of three figures, in nanoseconds (proc(5), schedstat).
        let text = try? String(contentsOfFile: "/proc/thread-self/schedstat", encoding: .utf8)
        return (text?.split(separator: " ").first.flatMap { Double($0) } ?? .nan) / 1e9
    }
}
