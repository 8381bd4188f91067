"""The places to which the rules of a line transfer by name."""

from tenants.api.rows import (
    CollectionView,
    RowView,
    document_collection,
    document_row,
    results_of,
)
from tenants.api.serializers import TransferPlaceSerializer
from tenants.models import TransferPlace

PLACES = results_of("TransferPlaces", TransferPlaceSerializer)


@document_collection("transfer_places", TransferPlaceSerializer, PLACES)
class TransferPlaces(CollectionView):
    """In the order of their names."""

    model = TransferPlace
    serializer = TransferPlaceSerializer


@document_row(TransferPlaceSerializer, may_be_in_use=True)
class TransferPlaceView(RowView):
    """A place that a rule names cannot be renamed or deleted: 409."""

    model = TransferPlace
    serializer = TransferPlaceSerializer
