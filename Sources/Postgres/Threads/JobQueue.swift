/// Jobs in the order they came, of which any may be taken out.
struct JobQueue {
    /// Taken jobs leave a hole until the front is cut off.
    private var slots: [Job?] = []
    private var front = 0
    private(set) var count = 0

    mutating func append(_ job: Job) {
        slots.append(job)
        count += 1
    }

    /// Takes out the first job, provided that this is true of it.
    mutating func popFirst(where isMeant: (Job) -> Bool = { _ in true }) -> Job? {
        while front < slots.count {
            if let job = slots[front], !isMeant(job) { return nil }
            let job = slots[front].take()
            front += 1
            if front > 64, front * 2 > slots.count {
                slots.removeFirst(front)
                front = 0
            }
            if let job {
                count -= 1
                return job
            }
        }
        slots.removeAll(keepingCapacity: true)
        front = 0
        return nil
    }

    /// Takes out the jobs of which this is true, the first first.
    mutating func remove(where isMeant: (Job) -> Bool) -> [Job] {
        var removed: [Job] = []
        for position in front..<slots.count {
            guard let job = slots[position], isMeant(job) else { continue }
            slots[position] = nil
            removed.append(job)
        }
        count -= removed.count
        return removed
    }

    /// The earliest of the jobs' deadlines.
    var earliestDeadline: Deadline? {
        slots[front...].lazy.compactMap { $0?.deadline }.min()
    }
}
