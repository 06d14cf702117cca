import Foundation

/// What `postmaster.pid` says: which process serves a data folder, and whether it is ready.
///
/// Its lines are process, data folder, start time, port, socket folder, address, shared memory, status
/// (PostgreSQL, src/include/utils/pidfile.h).
struct PostmasterFile: Sendable, Equatable {
    let processID: Int32
    let startTime: String
    let status: String

    var isReady: Bool { status == "ready" }

    /// Reads the file of a data folder; nil if there is none, or if it is not complete yet.
    static func read(inData data: String) -> PostmasterFile? {
        guard let text = try? String(contentsOfFile: path(inData: data), encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, let processID = Int32(lines[0]), processID > 0 else { return nil }
        return PostmasterFile(
            processID: processID, startTime: String(lines[2]),
            status: lines.count >= 8 ? lines[7].trimmingCharacters(in: .whitespaces) : "")
    }

    static func path(inData data: String) -> String { data + "/postmaster.pid" }

    /// Whether the process that wrote the file still lives.
    ///
    /// A process that has since been given the same number is not it, which in a container that was killed is likely:
    /// numbers begin anew there. The command's name is what any user may read of any process.
    var isAlive: Bool {
        let name = try? String(contentsOfFile: "/proc/\(processID)/comm", encoding: .utf8)
        return name.map { $0.hasPrefix("postgres") || $0.hasPrefix("postmaster") } ?? false
    }
}
