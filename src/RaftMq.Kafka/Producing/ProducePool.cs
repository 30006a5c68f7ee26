using RaftMq.Kafka.Nodes;

namespace RaftMq.Kafka.Producing;

/// <summary>The produce operations of one connection. Taken by the thread that reads the connection, given back by any.</summary>
internal sealed class ProducePool(KafkaNode node)
{
    private readonly Lock gate = new();
    private readonly Stack<ProduceOperation> free = [];

    public ProduceOperation Take()
    {
        lock (gate)
        {
            if (free.TryPop(out ProduceOperation? operation))
            {
                return operation;
            }
        }

        return new ProduceOperation(node, this);
    }

    public void Return(ProduceOperation operation)
    {
        lock (gate)
        {
            if (free.Count < node.Limits.PooledProducesPerConnection)
            {
                free.Push(operation);
            }
        }
    }
}
