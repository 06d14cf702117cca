import Synchronization

/// What people asked for, in order, and what was acknowledged.
final class Journal: Sendable {
    private let entries = Mutex<[Deed]>([])

    /// All of it.
    var deeds: [Deed] { entries.withLock { $0 } }

    /// Writes down what is about to be asked for, and returns its number.
    func begin(_ kind: Deed.Kind, _ email: String) -> Int {
        entries.withLock { entries in
            entries.append(Deed(kind: kind, email: email))
            return entries.count - 1
        }
    }

    /// Writes down that it was acknowledged, and with what.
    func acknowledge(_ number: Int, _ complete: (inout Deed) -> Void = { _ in }) {
        entries.withLock { entries in
            entries[number].isAcknowledged = true
            complete(&entries[number])
        }
    }
}
