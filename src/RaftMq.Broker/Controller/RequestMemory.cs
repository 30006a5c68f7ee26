using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What nodes were answered: part of the controller group's replicated state. Who asks sends a request again when the answer is late, perhaps to
/// the next leader, after the first one's entry was committed all the same; and by then somebody else may have undone what it did. So what was answered is
/// written in the entry that does it, and each further copy gets that answer. A node says with each request below which number it waits for nothing any
/// more: those answers go, and copies of those requests that are still on their way are not carried out.
/// </summary>
internal sealed class RequestMemory
{
    /// <summary>
    /// Of one node. More are open only where a node's clients ask for more at a time; should the leader change just then, the oldest may hear that nothing
    /// is certain. A refusal has 4,000 characters at most: with 32 nodes this is some 100 MB if all are told nothing but the longest.
    /// </summary>
    public const int AnswersMax = 1_000;

    private SortedDictionary<ReplicaId, Asker> _askers = [];

    public IEnumerable<(ReplicaId Node, int Answers)> Known => _askers.Select(static a => (a.Key, a.Value.Answers.Count));

    /// <summary>False when it is to be carried out.</summary>
    /// <param name="answer">What it was answered; null when that is forgotten, or was never to be: whoever asked does not wait for it.</param>
    public bool IsOver(in RequestId id, out RememberedAnswer? answer)
    {
        answer = null;
        return !PlantedBug.RepeatedRequestDoneAgain && _askers.TryGetValue(id.Node, out Asker? asker)
            && (id.Number < asker.Floor || asker.Answers.TryGetValue(id.Number, out answer));
    }

    public void Remember(ReplicaId node, long number, long lowestOpen, RememberedAnswer answer)
    {
        if (!_askers.TryGetValue(node, out Asker? asker))
        {
            _askers.Add(node, asker = new Asker());
        }

        asker.Answers[number] = answer;
        asker.Floor = Math.Max(asker.Floor, lowestOpen);
        while (asker.Answers.Count > AnswersMax)
        {
            asker.Floor = Math.Max(asker.Floor, asker.Answers.Keys.First() + 1);
            asker.Trim();
        }

        asker.Trim();
    }

    /// <summary>The node left the cluster for ever.</summary>
    public void Forget(ReplicaId node) => _askers.Remove(node);

    public void Write(ByteWriter writer)
    {
        writer.Int32(_askers.Count);
        foreach ((ReplicaId node, Asker asker) in _askers)
        {
            writer.Replica(node);
            writer.Int64(asker.Floor);
            writer.Int32(asker.Answers.Count);
            foreach ((long number, RememberedAnswer answer) in asker.Answers)
            {
                writer.Int64(number);
                answer.Write(writer);
            }
        }
    }

    /// <summary>What the bytes say; the reader fails when they say nothing sensible. The memory changes with <see cref="Take"/>.</summary>
    public static RequestMemory Read(ref ByteReader reader)
    {
        var memory = new RequestMemory();
        for (int count = reader.Count(bytesEachMin: 32); count > 0; count--)
        {
            ReplicaId node = reader.Replica();
            var asker = new Asker { Floor = reader.Int64() };
            for (int answers = reader.Count(bytesEachMin: 34); answers > 0; answers--)
            {
                if (!asker.Answers.TryAdd(reader.Int64(), RememberedAnswer.Read(ref reader)))
                {
                    reader.Fail();
                }
            }

            if (!memory._askers.TryAdd(node, asker))
            {
                reader.Fail();
            }
        }

        return memory;
    }

    public void Take(RequestMemory other) => _askers = other._askers;

    private sealed class Asker
    {
        /// <summary>What is below is over, whatever became of it. Never falls.</summary>
        public long Floor { get; set; }

        /// <summary>By number; none below the floor.</summary>
        public SortedDictionary<long, RememberedAnswer> Answers { get; } = [];

        public void Trim()
        {
            while (Answers.Count > 0 && Answers.Keys.First() < Floor)
            {
                Answers.Remove(Answers.Keys.First());
            }
        }
    }
}
