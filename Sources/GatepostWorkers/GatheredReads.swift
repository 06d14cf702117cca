import Synchronization

/// Reads that many tasks want at the same time, made as one.
///
/// A worker that has claimed 200 messages asks 200 times whether they are still wanted, a round trip each. Here who
/// asks while a read is under way waits for the next one, which is made for all that wait. So each is told what was
/// true after it asked, as if it had asked alone.
final class GatheredReads<Group: Hashable & Sendable, Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Reads keys of a group; those that are not there are missing from the answer.
    typealias Read = @Sendable (_ group: Group, _ keys: [Key]) async throws -> [Key: Value]

    private typealias Answer = Result<[Key: Value], any Error>

    private struct Waiter: Sendable {
        let key: Key
        let continuation: CheckedContinuation<Turn, Never>
    }

    /// What a waiting task is woken for.
    private enum Turn: Sendable {
        /// To read for itself and for those who waited with it.
        case read(for: [Waiter])
        case done(Answer)
    }

    private let read: Read
    /// Who waits for the next read; a group is there while one is under way.
    private let waiting = Mutex<[Group: [Waiter]]>([:])

    init(_ read: @escaping Read) {
        self.read = read
    }

    /// How many wait for the next read of a group.
    func waitingCount(in group: Group) -> Int { waiting.withLock { $0[group]?.count ?? 0 } }

    /// The value of a key, read after this call began; nil if there is none.
    func value(of key: Key, in group: Group) async throws -> Value? {
        switch await turn(key, group) {
        case .done(let answer):
            return try answer.get()[key]
        case .read(let others):
            let answer: Answer
            do {
                answer = .success(try await read(group, Array(Set(others.map(\.key) + [key]))))
            } catch {
                answer = .failure(error)
            }
            for other in others { other.continuation.resume(returning: .done(answer)) }
            wakeNext(group)
            return try answer.get()[key]
        }
    }

    private func turn(_ key: Key, _ group: Group) async -> Turn {
        await withCheckedContinuation { continuation in
            let isAlone = waiting.withLock { waiting in
                guard waiting[group] != nil else {
                    waiting[group] = []
                    return true
                }
                waiting[group]?.append(Waiter(key: key, continuation: continuation))
                return false
            }
            if isAlone { continuation.resume(returning: .read(for: [])) }
        }
    }

    /// Lets the first of those who wait read for all of them.
    private func wakeNext(_ group: Group) {
        let next = waiting.withLock { waiting in
            let next = waiting[group] ?? []
            waiting[group] = next.isEmpty ? nil : []
            return next
        }
        next.first?.continuation.resume(returning: .read(for: Array(next.dropFirst())))
    }
}
