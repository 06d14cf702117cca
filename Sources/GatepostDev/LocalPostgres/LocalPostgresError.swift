/// Why the private PostgreSQL did not do what was asked, each with what to do about it.
package enum LocalPostgresError: Error, Equatable, CustomStringConvertible {
    /// No PostgreSQL server programs were found, or not those of the version that made the data.
    case programsMissing(majorVersion: String?)
    /// We are root, PostgreSQL refuses root, and its own user cannot enter this folder.
    case folderUnreachable(folder: String, user: String)
    /// The data belong to another user.
    case folderOfAnotherUser(folder: String)
    /// A server that is not ours to stop runs on these data.
    case alreadyRunning(processID: Int32, folder: String)
    /// The server ended before it was ready; the last lines of its log.
    case ended(log: String)
    /// The server was not ready, or did not stop, in time.
    case tooSlow(folder: String)
    /// A program of PostgreSQL failed; what it wrote on standard error.
    case failed(program: String, output: String)

    package var description: String {
        switch self {
        case .programsMissing(nil):
            "PostgreSQL is not installed: run scripts/setup, or install the package postgresql."
        case .programsMissing(let version?):
            "The data were made by PostgreSQL \(version), which is not installed: install it or move the folder away."
        case .folderUnreachable(let folder, let user):
            """
            PostgreSQL refuses to run as root, and the user \(user) cannot enter \(folder): \
            choose a data folder elsewhere, run as an ordinary user, or allow it with chmod o+x \(folder).
            """
        case .folderOfAnotherUser(let folder):
            "\(folder) belongs to another user: run as that user, or move the folder away."
        case .alreadyRunning(let processID, let folder):
            "PostgreSQL already runs on \(folder) as process \(processID): stop the other gatepost dev first."
        case .ended(let log):
            "PostgreSQL ended before it was ready. Its log ends with:\n\(log)"
        case .tooSlow(let folder):
            "PostgreSQL on \(folder) did not start or stop in time: see server.log beside the data."
        case .failed(let program, let output):
            "\(program) failed: \(output)"
        }
    }
}
