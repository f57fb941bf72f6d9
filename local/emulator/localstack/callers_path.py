"""Gives functions the path that the caller sent, as API Gateway does.

LocalStack serves an API below `/_aws/execute-api/<id>/<stage>`, but passes `/<stage>/...` to its functions in
`requestContext.path`. Links made from that path lead nowhere. LocalStack's own container runs this file too, as
a script of its stage `start.d` (docker-compose.yml).
"""

from localstack.services.apigateway.next_gen.execute_api.handlers.parse import InvocationRequestParser

BELOW = "/_aws/execute-api/"

below_the_stage = InvocationRequestParser.create_context_variables


def create_context_variables(context):
    variables = below_the_stage(context)
    path = (context.request.environ.get("RAW_URI") or context.request.path).split("?")[0]
    if path.startswith(BELOW):
        variables["path"] = path
    return variables


InvocationRequestParser.create_context_variables = staticmethod(create_context_variables)
