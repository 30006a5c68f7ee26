namespace RaftMq.Simulation.World;

/// <summary>
/// What will happen, ordered by virtual time and, at one instant, by the order of scheduling. A binary heap: the order is total, so
/// nothing depends on how the heap came about.
/// </summary>
internal sealed class EventQueue
{
    private Scheduled[] _heap = new Scheduled[1024];
    private long _scheduled;

    public int Count { get; private set; }

    public void Add(long atUs, NodeLife? life, Action action)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, _heap.Length * 2);
        }

        Scheduled added = new(atUs, _scheduled++, life, action);
        int at = Count++;
        while (at > 0)
        {
            int parent = (at - 1) / 2;
            if (!added.IsBefore(_heap[parent]))
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = added;
    }

    public bool TryPeek(out long atUs)
    {
        atUs = Count > 0 ? _heap[0].AtUs : 0;
        return Count > 0;
    }

    public Scheduled Take()
    {
        Scheduled first = _heap[0];
        Scheduled last = _heap[--Count];
        _heap[Count] = default;
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _heap[child + 1].IsBefore(_heap[child]))
            {
                child++;
            }

            if (!_heap[child].IsBefore(last))
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        if (Count > 0)
        {
            _heap[at] = last;
        }

        return first;
    }

    /// <param name="Life">Not null: the event is void once this life of a node has ended.</param>
    public readonly record struct Scheduled(long AtUs, long Number, NodeLife? Life, Action Action)
    {
        public bool IsBefore(in Scheduled other) => AtUs < other.AtUs || (AtUs == other.AtUs && Number < other.Number);
    }
}
