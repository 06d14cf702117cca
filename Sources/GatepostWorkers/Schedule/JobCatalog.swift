import Foundation
package import GatepostModel

/// The jobs that there are: every `.sql` file of one folder.
package struct JobCatalog: Sendable {
    /// The most files that a folder may hold.
    package static let fileCountMax = 200

    /// In the order of their names.
    package let jobs: [JobFile]

    /// Reads a folder.
    ///
    /// - Parameter folder: Where the files are; the ones that ship with the program unless given.
    /// - Throws: The first mistake, because a job that silently does not run is found too late.
    package init(folder: String? = nil) throws {
        jobs = try Self.files(in: folder).map { try $0.get() }
    }

    /// Makes a catalog of files that have been read.
    package init(jobs: [JobFile]) {
        self.jobs = jobs
    }

    /// The job of this name.
    package subscript(name: String) -> JobFile? {
        jobs.first { $0.name == name }
    }

    /// The jobs that are due in the minute that this instant lies in.
    package func due(at instant: Instant) -> [JobFile] {
        jobs.filter { $0.schedule.matches(instant) }
    }

    /// Reads each file of a folder, with what is wrong with it.
    package static func files(in folder: String? = nil) throws -> [Result<JobFile, JobFileError>] {
        let folder = folder.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? packagedFolder
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        else { throw JobCatalogError.unreadable(folder.path(percentEncoded: false)) }
        let names = entries.filter { $0.hasSuffix(".sql") }.sorted()
        guard names.count <= fileCountMax else { throw JobCatalogError.tooManyFiles(names.count) }
        return try names.map { name in
            let url = folder.appending(component: name)
            guard let data = try? Data(contentsOf: url) else { throw JobCatalogError.unreadable(name) }
            return Result { () throws(JobFileError) in try file(String(name.dropLast(4)), data) }
        }
    }

    /// The folder `jobs/` of the repository, as packaged with the program.
    private static var packagedFolder: URL {
        Bundle.module.bundleURL.appending(component: "jobs", directoryHint: .isDirectory)
    }

    private static func file(_ name: String, _ data: Data) throws(JobFileError) -> JobFile {
        guard let text = String(validating: data, as: UTF8.self) else {
            throw JobFileError(file: "\(name).sql", line: 1, reason: .notUTF8)
        }
        return try JobFile(name: name, text: text)
    }
}

/// Why the folder of the jobs could not be read.
package enum JobCatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// This folder or file.
    case unreadable(String)
    /// So many files.
    case tooManyFiles(Int)

    package var description: String {
        switch self {
        case .unreadable(let path): "the jobs in \(path) cannot be read"
        case .tooManyFiles(let count): "\(count) job files are more than \(JobCatalog.fileCountMax)"
        }
    }
}
