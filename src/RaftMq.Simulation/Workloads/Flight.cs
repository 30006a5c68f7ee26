using RaftMq.Simulation.Checkers;

namespace RaftMq.Simulation.Workloads;

/// <summary>A batch between its first sending and its acknowledgement.</summary>
internal sealed class Flight(Mark mark, byte[] batch, int count, int number, long startedAtUs)
{
    public Mark Mark => mark;

    public byte[] Batch => batch;

    public int Count => count;

    /// <summary>Counts the producer's batches.</summary>
    public int Number => number;

    public long StartedAtUs => startedAtUs;

    /// <summary>The number of the attempt whose answer is awaited.</summary>
    public int Attempt { get; set; }

    /// <summary>The batches before it were acknowledged when it was sent last: nothing can be missing before its sequence then.</summary>
    public bool WasOldestWhenSent { get; set; }

    public bool IsDone { get; set; }

    /// <summary>Some attempt was acknowledged by a node, though the client may not have heard it.</summary>
    public bool WasAcked { get; set; }
}
