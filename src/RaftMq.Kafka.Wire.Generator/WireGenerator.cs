using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace RaftMq.Kafka.Wire.Generator;

/// <summary>Turns each <c>.schema</c> file into the class of its message.</summary>
[Generator]
public sealed class WireGenerator : IIncrementalGenerator
{
    private static readonly DiagnosticDescriptor badSchema = new(
        "RMQWIRE1", "Schema not understood", "{0}", "RaftMq.Kafka.Wire", DiagnosticSeverity.Error, isEnabledByDefault: true);

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<(string Path, string Text)> schemas = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(".schema", StringComparison.Ordinal))
            .Select(static (file, stop) => (file.Path, file.GetText(stop)?.ToString() ?? string.Empty));
        context.RegisterSourceOutput(schemas, static (output, schema) => One(output, schema.Path, schema.Text));
        context.RegisterSourceOutput(schemas.Collect(), static (output, all) => Table(output, all));
    }

    private static void One(SourceProductionContext output, string path, string text)
    {
        try
        {
            MessageModel message = SchemaParser.Parse(text);
            if (message.Name != Path.GetFileNameWithoutExtension(path))
            {
                throw new SchemaException(0, $"the message {message.Name} belongs into a file of its name");
            }

            output.AddSource($"{message.Name}.g.cs", SourceText.From(MessageEmitter.Emit(message), Encoding.UTF8));
        }
        catch (SchemaException wrong)
        {
            LinePosition at = new(wrong.Line, 0);
            output.ReportDiagnostic(Diagnostic.Create(
                badSchema, Location.Create(path, default, new LinePositionSpan(at, at)), wrong.Message));
        }
    }

    private static void Table(SourceProductionContext output, ImmutableArray<(string Path, string Text)> schemas)
    {
        try
        {
            List<MessageModel> messages = [.. schemas.Select(s => SchemaParser.Parse(s.Text))];
            output.AddSource("RequestSchemas.g.cs", SourceText.From(ApiTableEmitter.Emit(messages), Encoding.UTF8));
        }
        catch (SchemaException)
        {
            // Reported with its line by the pass over the single schema.
        }
    }
}
