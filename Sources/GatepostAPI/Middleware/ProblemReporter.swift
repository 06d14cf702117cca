import GatepostFlows
import GatepostModel
import Hummingbird
import Logging

/// Turns whatever a handler throws into an answer; the one place where errors become answers.
///
/// What went wrong inside goes to the log under the request's id, without any value.
struct ProblemReporter: RouterMiddleware {
    typealias Context = RootRequestContext

    /// Who reads the answer.
    enum Form {
        /// A program: a problem document.
        case document
        /// Whoever opened a mail's link: a page.
        case page(Pages)
    }

    let form: Form
    let logger: Logger

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as BrokenRequest {
            // The server closes the connection; nobody is there to be told.
            throw error.underlying
        } catch {
            let problem = Problem(reporting: error)
            if problem.code.status >= 500 {
                logger.log(
                    level: problem.code == .internalError ? .error : .warning, "request failed",
                    metadata: ["request.id": "\(context.id)", "error": "\(Trouble.summary(error))"])
            }
            return try report(problem, context)
        }
    }

    private func report(_ problem: Problem, _ context: RootRequestContext) throws -> Response {
        switch form {
        case .document:
            return try problem.response(requestID: context.id)
        case .page(let pages):
            var response = try pages.response(
                .problem(title: problem.code.title, detail: problem.detail), status: .init(code: problem.code.status))
            for field in problem.allHeaders where field.name != .contentType { response.headers.append(field) }
            return response
        }
    }
}
